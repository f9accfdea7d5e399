"""Pretend instruments and cells, written from the facts alone, never from our drivers."""
