"""The bench: how fast this is, beside how fast it could be, measured in one go on one machine."""
