"""The simulated Keithley 2450 and its larger siblings."""

from simulators.keithley2450.instrument import Keithley2450, Keithley2460, Keithley2461

__all__ = ["Keithley2450", "Keithley2460", "Keithley2461"]
