"""Simulated cells: closed forms, seeded, the paper's parameter sets by name."""
