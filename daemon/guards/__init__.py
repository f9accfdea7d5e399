"""Guards: what no healthy cell on an obedient instrument ever shows, judged on every reading.

The window (`Limits`) says where a cell may be; the guards say whether the readings can be believed
and the set value arrives. Both end the same way: the circuit is opened and the run has tripped.
"""

from daemon.guards.guard import Guard, Look
from daemon.guards.interlock import Interlock
from daemon.guards.second_voltage import SecondVoltage
from daemon.guards.start import check_open_circuit
from daemon.guards.thresholds import DEFAULT, Thresholds
from daemon.guards.watch import Guards

__all__ = [
    "DEFAULT",
    "Guard",
    "Guards",
    "Interlock",
    "Look",
    "SecondVoltage",
    "Thresholds",
    "check_open_circuit",
]
