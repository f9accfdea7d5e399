"""Drivers by name, found by entry point: an installed package may bring its own."""

from importlib.metadata import EntryPoint, entry_points

from drivers.base import Driver
from drivers.errors import InstrumentError

GROUP = "galvanod.drivers"


def names() -> list[str]:
    """Return the names of all installed drivers, sorted."""
    return sorted(entry_points(group=GROUP).names)


def driver(name: str) -> type[Driver]:
    """Return the driver class of that name. Raises `InstrumentError` listing the known ones."""
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise InstrumentError(f"driver {name!r} is not installed; known are {', '.join(names()) or 'none'}")
    return _loaded(next(iter(found)))


def _loaded(entry: EntryPoint) -> type[Driver]:
    try:
        loaded = entry.load()
    except (ImportError, AttributeError) as error:
        raise InstrumentError(f"driver {entry.name!r} ({entry.value}) cannot be loaded: {error}") from error
    if not (isinstance(loaded, type) and issubclass(loaded, Driver)):
        raise InstrumentError(f"driver {entry.name!r} ({entry.value}) is no Driver but {loaded!r}")
    return loaded
