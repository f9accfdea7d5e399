"""The one current range of a cycler's channels: the instrument does not tell it, the bench file may."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from drivers.base import Driver
from drivers.errors import InstrumentError
from protocols.accuracy import Accuracy
from protocols.errors import Place, ProtocolError
from protocols.nodes import Scalar
from protocols.quantities import Kind, read_amount
from protocols.units import Dimension

_D = TypeVar("_D", bound=Driver)

_CURRENT = Kind("a current", (Dimension.CURRENT,), "A or mA")


def ranged(family: type[_D], settings: Mapping[str, str], stated: Accuracy) -> type[_D]:
    """Return the family with what its maker states of the range in `settings`; as it is without one.

    Raises `InstrumentError` for another setting, and for a range that is no current above nought.
    """
    if unknown := sorted(set(settings) - {"range"}):
        raise InstrumentError(f"setting {unknown[0]!r}; wanted range, the current range of its channels")
    if "range" not in settings:
        return family
    amperes = _amperes(settings["range"])
    return type(family.__name__, (family,), {"accuracy": replace(stated, full_scale=amperes)})


def _amperes(text: str) -> float:
    try:
        amperes = read_amount(Scalar(text, Place("range", 1, 1), exact=False), _CURRENT).value
    except ProtocolError:
        amperes = 0.0
    if not amperes > 0.0:
        raise InstrumentError(f"setting range: {text!r}; wanted a current range, e.g. 50 mA")
    return amperes
