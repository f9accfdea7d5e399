"""A Neware BTS 8 as the PC of its BTS Client shows it on TCP port 502 ("BTSAPI")."""

from simulators.neware.instrument import Neware

__all__ = ["Neware"]
