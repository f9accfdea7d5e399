"""The `chambers` of a bench file."""

import pytest

from daemon.channels.bench_file import BenchFile
from daemon.guards.chamber import DEFAULT, Drift
from protocols.errors import ProtocolError

BENCH = """bench: Lab 3
instruments:
  smu1: {{driver: keithley2450, address: tcp://10.0.0.1:5025}}
  smu2: {{driver: keithley2450, address: tcp://10.0.0.2:5025}}
chambers:
  oven: {oven}
"""


def chamber(oven: str) -> BenchFile:
    return BenchFile.parse(BENCH.format(oven=oven), "bench.yaml")


def test_a_chamber_is_read_with_what_it_is_forgiven() -> None:
    oven = chamber(
        "{driver: espec, address: tcp://10.0.0.9:10001, channels: [smu2, smu1], band: 0.5 K, settle: 10 min, "
        "drift: stop, after: 30 s, give_up: 1 h}"
    ).chambers["oven"]
    assert (oven.driver, oven.address, oven.channels) == ("espec", "tcp://10.0.0.9:10001", ("smu2", "smu1"))
    assert oven.tolerance.band == pytest.approx(0.5)
    assert oven.tolerance.drift is Drift.STOP
    assert (oven.tolerance.settle, oven.tolerance.after, oven.tolerance.give_up) == (600.0, 30.0, 3600.0)


def test_what_is_not_said_is_as_usual_and_a_band_may_be_in_either_unit() -> None:
    found = chamber("{driver: espec, simulate: {speed: 100}, channels: [smu1]}")
    assert found.chambers["oven"].tolerance == DEFAULT
    assert [entry.name for entry in found.simulated()] == ["oven"]
    other = chamber("{driver: espec, simulate: {}, channels: [smu1], band: 2 degC}")
    assert other.chambers["oven"].tolerance.band == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("oven", "seen"),
    [
        ("{driver: espec, channels: [smu1]}", "6:9: neither `address` nor `simulate`"),
        ("{driver: oven, simulate: {}, channels: [smu1]}", "6:18: .*'oven'.*espec"),
        ("{driver: espec, simulate: {}, channels: [smu3]}", "6:50: .*'smu3'.*smu1"),
        ("{driver: espec, simulate: {}, channels: [smu1, smu1]}", "one chamber only; smu1 is in oven"),
        ("{driver: espec, simulate: {cell: li_s}, channels: [smu1]}", "'cell'"),
        ("{driver: espec, simulate: {}, channels: [smu1], band: 1 V}", "difference of temperatures in K"),
        ("{driver: espec, simulate: {}, channels: [smu1], band: 60 K}", "0.05 K to 50 K"),
        ("{driver: espec, simulate: {}, channels: [smu1], drift: wait}", "'wait'.*hold"),
        ("{driver: espec, simulate: {}, channels: [smu1], give_up: 0 s}", "1 s to"),
    ],
)
def test_a_mistake_is_told_where_it_is(oven: str, seen: str) -> None:
    with pytest.raises(ProtocolError, match=seen):
        chamber(oven)
