"""The simulated ESPEC chamber."""

from simulators.espec.chamber import Espec

__all__ = ["Espec"]
