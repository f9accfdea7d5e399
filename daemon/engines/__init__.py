"""Engines: how each kind of channel is taken through a step, and many of them at a time."""
