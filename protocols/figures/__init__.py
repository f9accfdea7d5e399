"""Figures of merit: pure functions from arrays to figures, one file per technique."""
