"""Studies: what they need, how they are conducted, and what came of them."""
