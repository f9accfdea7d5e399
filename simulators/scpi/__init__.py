"""SCPI as instruments speak it: messages in, acts and answers out; no instrument in particular.

SCPI 1999.0 and IEEE 488.2 are the sources of the syntax and of the negative error numbers.
"""

from simulators.scpi.errors import EventQueue, Kind, ScpiError
from simulators.scpi.front import Front
from simulators.scpi.parameters import Boolean, Choice, Integer, Name, Number, Parameter, QuotedChoice
from simulators.scpi.setting import Setting, setting
from simulators.scpi.tree import Command, Tree

__all__ = [
    "Boolean",
    "Choice",
    "Command",
    "EventQueue",
    "Front",
    "Integer",
    "Kind",
    "Name",
    "Number",
    "Parameter",
    "QuotedChoice",
    "ScpiError",
    "Setting",
    "Tree",
    "setting",
]
