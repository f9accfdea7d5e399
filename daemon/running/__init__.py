"""Runs: planned, conducted, journalled, and brought back after an interruption."""
