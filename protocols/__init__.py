"""What to do to a cell, as plain data: no clock, no asyncio, no I/O but reading protocol and cell files."""

from protocols.cell import Cell
from protocols.check import report
from protocols.errors import (
    FigureError,
    GalvanodError,
    LimitError,
    Place,
    Problem,
    ProtocolError,
)
from protocols.forecast import Forecast, forecast
from protocols.limits import Limits
from protocols.plan import Plan, PlannedRepeat, PlannedStep
from protocols.protocol import Protocol
from protocols.reading import Reading
from protocols.resolve import resolve
from protocols.walk import Visit, Walk

__all__ = [
    "Cell",
    "FigureError",
    "Forecast",
    "GalvanodError",
    "LimitError",
    "Limits",
    "Place",
    "Plan",
    "PlannedRepeat",
    "PlannedStep",
    "Problem",
    "Protocol",
    "ProtocolError",
    "Reading",
    "Visit",
    "Walk",
    "forecast",
    "report",
    "resolve",
]
