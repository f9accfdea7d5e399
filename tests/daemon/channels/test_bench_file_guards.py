"""The thresholds of the guards as a bench file writes them."""

from dataclasses import replace

import pytest

from daemon.channels.bench_file import BenchFile
from daemon.guards import DEFAULT
from protocols.errors import ProtocolError

BENCH = "bench: b\ninstruments:\n  smu1:\n    driver: keithley2450\n    address: tcp://h:1\n"


def test_without_guards_the_defaults_hold() -> None:
    assert BenchFile.parse(BENCH, "b.yaml").instruments["smu1"].channels[0].guards == DEFAULT


def test_every_threshold_can_be_written_and_some_can_be_off() -> None:
    text = BENCH + (
        "    guards: {stale: 3 s, settle: 500 ms, current_band: 2 %, voltage_band: 2 mV,\n"
        "      frozen: off, jump: 100 mV, lead_current: off, second_voltage: 20 mV,\n"
        "      heating: 3 K/min, rising: off, resistance: 50 ohm}\n"
    )
    assert BenchFile.parse(text, "b.yaml").instruments["smu1"].channels[0].guards == replace(
        DEFAULT,
        stale=3.0,
        settle=0.5,
        current_band=0.02,
        voltage_band=0.002,
        frozen=None,
        jump=0.1,
        lead_current=None,
        second_voltage=0.02,
        heating=0.05,
        rising=None,
        resistance=50.0,
    )


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("{stale: off}", "a time"),
        ("{stale: 2 min}", "a time of 100 ms to 60 s"),
        ("{frozen: 1}", "a number of readings, at least 3"),
        ("{current_band: 5 mA}", "a percentage"),
        ("{lead_current: 1 C}", "a current in A, mA or nA"),
        ("{heating: 3 K}", "a temperature per time in K/min or K/s"),
        ("{frosen: 20}", "did you mean 'frozen'"),
        ("strict", "{stale: 5 s, frozen: 20, jump: 300 mV}"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(written: str, wanted: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        BenchFile.parse(BENCH + f"    guards: {written}\n", "b.yaml")
    assert wanted in str(refused.value)
    assert "b.yaml:6:" in str(refused.value)
