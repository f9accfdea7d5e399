"""Notices: who is told, and how, that a channel tripped, a run ended, or readings stopped."""
