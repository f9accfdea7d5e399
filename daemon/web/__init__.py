"""The page of the lab and the HTTP API under it: a process of its own that touches no instrument."""
