"""Drivers by name, found by entry point: an installed package may bring its own."""

from importlib.metadata import entry_points

from drivers.base import Driver
from drivers.chamber import Chamber
from drivers.errors import InstrumentError

DRIVERS = "galvanod.drivers"
CHAMBERS = "galvanod.chambers"


def names() -> list[str]:
    """Return the names of all installed drivers, sorted."""
    return sorted(entry_points(group=DRIVERS).names)


def driver(name: str) -> type[Driver]:
    """Return the driver class of that name. Raises `InstrumentError` listing the known ones."""
    loaded = _loaded(DRIVERS, "driver", name)
    if not (isinstance(loaded, type) and issubclass(loaded, Driver)):
        raise InstrumentError(f"driver {name!r} is no Driver but {loaded!r}")
    return loaded


def chamber_names() -> list[str]:
    """Return the names of all installed chambers' drivers, sorted."""
    return sorted(entry_points(group=CHAMBERS).names)


def chamber(name: str) -> type[Chamber]:
    """Return the chamber's driver of that name. Raises `InstrumentError` listing the known ones."""
    loaded = _loaded(CHAMBERS, "chamber", name)
    if not (isinstance(loaded, type) and issubclass(loaded, Chamber)):
        raise InstrumentError(f"chamber {name!r} is no Chamber but {loaded!r}")
    return loaded


def _loaded(group: str, kind: str, name: str) -> object:
    found = entry_points(group=group, name=name)
    if not found:
        known = ", ".join(sorted(entry_points(group=group).names)) or "none"
        raise InstrumentError(f"{kind} {name!r} is not installed; known are {known}")
    entry = next(iter(found))
    try:
        loaded: object = entry.load()
    except (ImportError, AttributeError) as error:
        raise InstrumentError(f"{kind} {name!r} ({entry.value}) cannot be loaded: {error}") from error
    return loaded
