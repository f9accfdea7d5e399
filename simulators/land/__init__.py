"""A LAND CT2001A as its result file shows it: nothing can be said to it, its file grows."""

from simulators.land.instrument import Land

__all__ = ["Land"]
