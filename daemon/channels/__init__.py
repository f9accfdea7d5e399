"""The bench: its file, its instruments and chambers, and each channel with what it may do."""
