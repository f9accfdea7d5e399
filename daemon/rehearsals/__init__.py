"""Rehearsals of a submission."""
