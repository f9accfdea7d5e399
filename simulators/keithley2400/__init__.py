"""The simulated classic Keithley 2400."""

from simulators.keithley2400.instrument import Keithley2400

__all__ = ["Keithley2400"]
