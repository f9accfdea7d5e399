"""The last hour of a channel is few points, whatever the length of the day."""

import msgspec

from daemon.glance import Values
from daemon.web.hour import POINTS, LastHour
from daemon.web.seen import Seen
from tests.web.cores import IDLE, as_seen

RUNNING = msgspec.structs.replace(IDLE, channel="smu1", state="running")


def read(second: float) -> Seen:
    """Return the channel as it was read in that second, its voltage the same number."""
    return as_seen(RUNNING, Values(read_at=second, voltage=second))


def looked(hour: LastHour, seconds: range) -> None:
    for second in seconds:
        hour.look({("lab", "smu1"): read(float(second))}, float(second))


def test_its_first_minute_has_every_second() -> None:
    hour = LastHour()
    looked(hour, range(60))
    told = hour.told()
    assert told.times == [float(second) for second in range(60)]
    assert told.voltages["lab"]["smu1"] == told.times


def test_a_day_is_the_last_hour_of_it() -> None:
    hour = LastHour()
    looked(hour, range(86_400))
    told = hour.told()
    assert POINTS / 2 <= len(told.times) <= POINTS
    assert 86_400 - 3_840 - 32 <= told.times[0] < 86_400 - 3_500
    assert told.times[-1] >= 86_400 - 32
    assert told.voltages["lab"]["smu1"][-1] == told.times[-1]


def test_a_channel_that_came_later_was_not_read_before() -> None:
    hour = LastHour()
    hour.look({}, 0.0)
    looked(hour, range(2, 3))
    assert hour.told().voltages["lab"]["smu1"] == [None, 2.0]


def test_of_a_core_that_is_silent_nothing_is_read() -> None:
    hour = LastHour()
    looked(hour, range(1, 2))
    hour.look({("lab", "smu1"): read(1.0)}, 60.0)
    assert hour.told().voltages["lab"]["smu1"] == [1.0, None]
