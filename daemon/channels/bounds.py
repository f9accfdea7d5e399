"""What a channel may hold: its window, with whose each edge is, and where its readings are not believed."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from daemon.channels.station import Station
from protocols.limits import Bound, Limits, Range


def bounds(station: Station) -> Mapping[str, Any]:
    """Return it as plain data, SI; the instrument's rating is an origin of its own."""
    driver = station.instrument.driver
    windows = [station.entry.window] + ([_named(driver.rating, "instrument")] if driver is not None else [])
    return {
        "limits": asdict(Limits.intersection(windows)),
        "guards": asdict(station.entry.guards),
        "sample": station.sample,
        "unattended": station.entry.unattended,
    }


def _named(limits: Limits, origin: str) -> Limits:
    """Return the same edges as another's."""
    return Limits(*(_of(each, origin) for _, _, each in limits.named()))


def _of(one: Range, origin: str) -> Range:
    low, high = (None if edge is None else Bound(edge.value, origin) for edge in (one.low, one.high))
    return Range(low, high)
