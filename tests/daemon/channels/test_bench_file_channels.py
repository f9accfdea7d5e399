"""Channels of an instrument as a bench file writes them."""

import pytest

from daemon.channels.bench_file import BenchFile
from protocols.errors import ProtocolError

RACK = "bench: b\ninstruments:\n  rack:\n    driver: emstat4\n"


def test_an_instrument_without_channels_is_one_of_its_own_name() -> None:
    [channel] = BenchFile.parse(RACK + "    address: tcp://h:1\n", "b.yaml").channels()
    assert (channel.name, channel.place, channel.position) == ("rack", None, 0)


def test_a_number_of_channels_are_numbered_from_one_and_simulated_each_with_a_seed_of_its_own() -> None:
    text = RACK + "    simulate: {cell: li_s/pp, seed: 7, faults: [mute]}\n    channels: 3\n"
    bench = BenchFile.parse(text, "b.yaml")
    assert [channel.name for channel in bench.channels()] == ["rack-1", "rack-2", "rack-3"]
    cells = [channel.simulation for channel in bench.channels()]
    assert [cell.seed for cell in cells if cell] == [7, 8, 9]
    assert [cell.faults for cell in cells if cell] == [(), (), ()]
    simulation = bench.instruments["rack"].simulation
    assert simulation is not None
    assert simulation.faults == ("mute",)


def test_a_channel_says_where_it_is_and_what_is_its_own() -> None:
    text = RACK + (
        "    address: tcp://h:1\n    sample: 5 s\n    window: {voltage: 0 V .. 4 V}\n    channels:\n"
        "      a: {at: 27-1-1}\n      b: {at: 27-1-2, sample: 2 s, window: {voltage: -1 V .. 3 V}}\n"
    )
    first, second = BenchFile.parse(text, "b.yaml").channels()
    assert (first.place, first.sample, second.place, second.sample) == ("27-1-1", 5.0, "27-1-2", 2.0)
    low, high = second.window.voltage.low, second.window.voltage.high
    assert low is not None
    assert high is not None
    assert (low.value, high.value) == (0.0, 3.0)  # the tighter of both


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("0", "a number of channels from 1 to 1024"),
        ("{}", "no channels"),
        ("{A: {}}", "a name of a-z"),
        ("{a: {cell: li_s/pp}}", "cell"),  # it is not simulated
        ("{a: {at: 1}, other: {at: 2}}", "another name than other"),
        ("{a: {att: 1}}", "at"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(written: str, wanted: str) -> None:
    text = "bench: b\ninstruments:\n  other: {driver: emstat4, address: tcp://h:2}\n  rack:\n"
    text += f"    driver: emstat4\n    address: tcp://h:1\n    channels: {written}\n"
    with pytest.raises(ProtocolError) as refused:
        BenchFile.parse(text, "b.yaml")
    assert wanted in str(refused.value)
    assert "b.yaml:7:" in str(refused.value)
