"""Every measurement of the bench by name, in the order in which they are made."""

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from daemon.bench import besieged, database, load, long_run, page, prompt, transport
from daemon.bench.row import Measure, Row, Settings
from daemon.errors import UnknownError
from protocols.errors import GalvanodError

MEASUREMENTS: Mapping[str, Measure] = {
    "loop": transport.bare_loop,
    "mqtt": transport.bare_mqtt,
    "recorder": database.recorder,
    "reading-back": database.reading_back,
    "starting": prompt.starting,
    "peer": load.peer_loads,
    "thousand": load.thousand_channels,
    "trip": prompt.tripping,
    "outage": prompt.catching_up,
    "hundred-hertz": load.hundred_hertz,
    "long-run": long_run.li_s_cycles,
    "page": page.page,
    "page-hostile": besieged.page_hostile,
}

QUICK = 15.0
"""Seconds of each steady load where nobody says: all of it in a few minutes."""

FULL = 600.0
"""Seconds the promise for a thousand channels is about."""


def chosen(names: Sequence[str]) -> Mapping[str, Measure]:
    """Return the measurements of these names, all where there are none. Raises `UnknownError`."""
    for name in names:
        if name not in MEASUREMENTS:
            raise UnknownError(f"the bench has no {name!r}; it has {', '.join(MEASUREMENTS)}")
    return {name: measure for name, measure in MEASUREMENTS.items() if not names or name in names}


async def measured(
    measurements: Mapping[str, Measure], seconds: float, broker: str
) -> AsyncIterator[tuple[str, list[Row], str]]:
    """Make one measurement after the other, each in a folder that is gone afterwards.

    Yields its name and rows; where it could not be made, no rows and why.
    """
    for name, measure in measurements.items():
        with tempfile.TemporaryDirectory(prefix=f"galvanod-bench-{name}-") as folder:
            settings = Settings(Path(folder), seconds, broker)
            try:
                yield name, await measure(settings), ""
            except (GalvanodError, TimeoutError, OSError) as error:
                yield name, [], str(error) or f"it did not end in time ({type(error).__name__})"
