"""What goes wrong with a simulated instrument, when someone asks for it."""

from simulators.faults.fault import Fault, FaultError, FaultKind
from simulators.faults.schedule import Faults
from simulators.faults.wording import fault_in_words

__all__ = ["Fault", "FaultError", "FaultKind", "Faults", "fault_in_words"]
