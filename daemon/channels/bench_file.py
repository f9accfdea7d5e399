"""The bench file: which instruments there are, and what each channel may never exceed.

bench: Lab 3
instruments:
  smu1:
    driver: keithley2450
    address: visa://TCPIP0::192.168.1.7::5025::SOCKET
    window: {voltage: -1 V .. 5 V, current: 100 mA}
    sample: 1 s
    guards: {stale: 3 s, frozen: 50}
  rehearsal1:
    driver: emstat4
    simulate: {cell: li_s/pp, speed: 1000, seed: 7, faults: [{at: 30 s, fault: mute, for: 5 s}]}
  neware:
    driver: neware
    address: tcp://192.168.1.5:502
    channels:                        # their names, and where each is on the instrument
      neware-1: {at: 27-1-1, window: {current: 50 mA}}
      neware-2: {at: 27-1-2, sample: 10 s}
  rehearsal2: {driver: neware, simulate: {cell: li_s/pp, speed: max}, channels: 8}
chambers:                            # see daemon/channels/chamber_file.py
  oven: {driver: espec, address: tcp://192.168.1.9:10001, channels: [smu1, neware-1], drift: hold}

An instrument with no `channels` is one channel of its own name; a number of them are its first ones,
named rehearsal2-1, rehearsal2-2, and so on. What an instrument says of sample, guards and attendance
holds for each of its channels that says nothing else of it, and its window for all of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from daemon.channels.attendance import read_unattended
from daemon.channels.chamber_file import ChamberEntry, read_chambers
from daemon.channels.simulation_file import Simulation, read_cell, read_faults, read_seed, read_simulation
from daemon.guards import DEFAULT, Thresholds
from daemon.guards.written import read_thresholds
from drivers import registry
from drivers.errors import InstrumentError
from protocols import nodes, source
from protocols.errors import Problem, ProtocolError
from protocols.limits import Limits
from protocols.operands import Values
from protocols.problems import Problems
from protocols.quantities import TIME, read_amount
from protocols.window import read_window

DEFAULT_SAMPLE = 1.0
"""Seconds between readings where no end and no limit is near."""

NO_WINDOW = Limits()

MOST_CHANNELS = 1024
"""Of one instrument."""

_NAME = "a name of a-z, 0-9 and -, beginning with a letter, of at most 32 characters"


@dataclass(frozen=True, slots=True)
class ChannelEntry:
    """One channel of the bench; `sample` is the wished interval between readings, in seconds.

    `place` is where it is on its instrument, in the words of the driver; None is the place of its
    `position`, counted from 0. `guards` holds where its readings are no longer believed.
    """

    name: str
    driver: str
    simulation: Simulation | None
    window: Limits = NO_WINDOW
    sample: float = DEFAULT_SAMPLE
    guards: Thresholds = DEFAULT
    unattended: bool = False
    """Whether it may run although its driver has no dead-man."""
    place: str | None = None
    position: int = 0


@dataclass(frozen=True, slots=True)
class InstrumentEntry:
    """One instrument of the bench and its channels, at least one; `simulation` is its own, not theirs."""

    name: str
    driver: str
    address: str | None
    simulation: Simulation | None
    channels: tuple[ChannelEntry, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    """What the driver is told of this very instrument, in its own words."""
    transcript: Path | None = None
    """Where everything that is said on its cable is written down."""


@dataclass(frozen=True, slots=True)
class BenchFile:
    """A bench file, read and checked."""

    name: str
    instruments: Mapping[str, InstrumentEntry]
    chambers: Mapping[str, ChamberEntry] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a bench file; `ProtocolError` names file, line and column of what is wrong in it."""
        return cls._from(source.load(path))

    @classmethod
    def parse(cls, text: str, file: str) -> Self:
        """Read the text of a bench file."""
        return cls._from(source.parse(text, file))

    @classmethod
    def _from(cls, node: nodes.Node) -> Self:
        wanted = "a mapping with `bench` and `instruments`"
        root = nodes.as_mapping(node, wanted)
        root.only(("bench", "instruments", "chambers"), "a key of a bench file")
        name = nodes.as_scalar(root.need("bench", "a name for it"), "a name for the bench").text
        listed = nodes.as_mapping(
            root.need("instruments", "a mapping"), "a mapping from names to instruments"
        )
        problems = Problems()
        entries: dict[str, InstrumentEntry] = {}
        taken: set[str] = set()
        for key, value in listed.entries:
            with problems.gathered():
                entries[key.text] = _entry(key, value, taken)
        chambers = root.take("chambers")
        problems.settle()
        return cls(name, entries, {} if chambers is None else read_chambers(chambers, sorted(taken)))

    def channels(self) -> Iterator[ChannelEntry]:
        """Yield every channel of every instrument, in the order of the file."""
        for entry in self.instruments.values():
            yield from entry.channels

    def simulated(self) -> list[InstrumentEntry]:
        """Return what of it is simulated; a chamber as an instrument of one channel, with its name."""
        chambers = [
            InstrumentEntry(
                c.name, c.driver, None, c.simulation, (ChannelEntry(c.name, c.driver, c.simulation),)
            )
            for c in self.chambers.values()
        ]
        return [entry for entry in (*self.instruments.values(), *chambers) if entry.simulation is not None]


def simulated_alone(driver: str, simulation: Simulation, channels: int | None) -> InstrumentEntry:
    """Return the entry of one simulated instrument that is on no bench, named like its driver."""
    one = ChannelEntry(driver, driver, simulation)
    if channels is None:
        return InstrumentEntry(driver, driver, None, simulation, (one,))
    numbered = (_numbered(one, f"{driver}-{position + 1}", position) for position in range(channels))
    return InstrumentEntry(driver, driver, None, simulation, tuple(numbered))


def _entry(key: nodes.Scalar, node: nodes.Node, taken: set[str]) -> InstrumentEntry:
    name = _name(key)
    entry = nodes.as_mapping(node, "a mapping with `driver` and `address` or `simulate`")
    known = (
        "driver",
        "address",
        "simulate",
        "window",
        "sample",
        "guards",
        "unattended",
        "channels",
        "transcript",
        "settings",
    )
    entry.only(known, "a key of an instrument")
    address, simulate, channels = entry.take("address"), entry.take("simulate"), entry.take("channels")
    transcript, settings = entry.take("transcript"), entry.take("settings")
    if (address is None) == (simulate is None):
        seen = "neither `address` nor `simulate`" if address is None else "both `address` and `simulate`"
        raise ProtocolError(Problem(entry.place, seen, "one of them"))
    driver = nodes.one_of(
        nodes.as_scalar(entry.need("driver", "keithley2450"), "the name of a driver"),
        registry.names(),
        "an installed driver",
    )
    simulation = read_simulation(simulate) if simulate is not None else None
    common = _refined(ChannelEntry(name, driver, simulation), entry)
    return InstrumentEntry(
        name=name,
        driver=driver,
        address=nodes.as_scalar(address, "visa://…, serial://…, tcp://… or eclib://…").text
        if address is not None
        else None,
        simulation=simulation,
        channels=_channels(key, channels, common, taken),
        settings={} if settings is None else _settings(settings, driver),
        transcript=None
        if transcript is None
        else Path(nodes.as_scalar(transcript, "the path of a file").text),
    )


def _settings(node: nodes.Node, driver: str) -> Mapping[str, str]:
    """Read what the driver is told; whether it understands that is the driver's to say."""
    mapping = nodes.as_mapping(node, "a mapping from the driver's settings to their values")
    settings = {key.text: nodes.as_scalar(value, "a value").text for key, value in mapping.entries}
    try:
        registry.driver(driver).configured(settings)
    except InstrumentError as error:
        seen, _, wanted = str(error).partition("; wanted ")
        raise ProtocolError(Problem(mapping.place, seen, wanted)) from error
    return settings


def _channels(
    key: nodes.Scalar, node: nodes.Node | None, common: ChannelEntry, taken: set[str]
) -> tuple[ChannelEntry, ...]:
    """Read `channels`: none is one of the instrument's own name; the names in `taken` may not come again."""
    if node is None:
        return (_named(key, common, taken),)
    if isinstance(node, nodes.Scalar):
        names = [f"{common.name}-{number}" for number in range(1, _count(node) + 1)]
        return tuple(
            _named(node, _numbered(common, name, position), taken) for position, name in enumerate(names)
        )
    wanted = "a number of channels, or a mapping from their names to where each is"
    listed = nodes.as_mapping(node, wanted)
    if not listed.entries:
        raise ProtocolError(Problem(listed.place, "no channels", wanted))
    return tuple(
        _channel(inner, value, replace(common, name=_name(inner), position=position), taken)
        for position, (inner, value) in enumerate(listed.entries)
    )


def _numbered(common: ChannelEntry, name: str, position: int) -> ChannelEntry:
    simulation = common.simulation
    if simulation is not None:
        simulation = replace(simulation, seed=simulation.seed + position, faults=())
    return replace(common, name=name, position=position, simulation=simulation)


def _channel(key: nodes.Scalar, node: nodes.Node, common: ChannelEntry, taken: set[str]) -> ChannelEntry:
    entry = nodes.as_mapping(node, "a mapping such as {at: 1, sample: 10 s}")
    simulated = ("cell", "seed", "faults") if common.simulation is not None else ()
    entry.only(("at", "window", "sample", "guards", "unattended", *simulated), "a key of a channel")
    at = entry.take("at")
    channel = replace(
        _refined(common, entry),
        place=None if at is None else nodes.as_scalar(at, "where it is on its instrument").text,
    )
    if common.simulation is not None:
        channel = replace(channel, simulation=_own_cell(common.simulation, common.position, entry))
    return _named(key, channel, taken)


def _own_cell(whole: Simulation, position: int, entry: nodes.MappingNode) -> Simulation:
    """Return what is simulated on one channel; its faults are its cell's, not its instrument's."""
    cell, seed, faults = entry.take("cell"), entry.take("seed"), entry.take("faults")
    return replace(
        whole,
        cell=whole.cell if cell is None else read_cell(cell),
        seed=whole.seed + position if seed is None else read_seed(seed),
        faults=() if faults is None else read_faults(faults),
    )


def _refined(channel: ChannelEntry, entry: nodes.MappingNode) -> ChannelEntry:
    """Return the channel with what the entry says of it."""
    window, sample = entry.take("window"), entry.take("sample")
    guards, unattended = entry.take("guards"), entry.take("unattended")
    return replace(
        channel,
        window=channel.window if window is None else Limits.intersection([channel.window, _window(window)]),
        sample=channel.sample if sample is None else _sample(sample),
        guards=channel.guards if guards is None else read_thresholds(guards),
        unattended=channel.unattended if unattended is None else read_unattended(unattended),
    )


def _named(where: nodes.Scalar, channel: ChannelEntry, taken: set[str]) -> ChannelEntry:
    if channel.name in taken:
        raise where.refused(f"another name than {channel.name}, which a channel has already")
    taken.add(channel.name)
    return channel


def _count(scalar: nodes.Scalar) -> int:
    text = scalar.text
    count = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= count <= MOST_CHANNELS:
        raise scalar.refused(f"a number of channels from 1 to {MOST_CHANNELS}, or a mapping")
    return count


def _name(key: nodes.Scalar) -> str:
    if not _is_name(key.text):
        raise key.refused(_NAME)
    return key.text


def _is_name(text: str) -> bool:
    letters = text.replace("-", "")
    return (
        len(text) <= 32 and letters.isascii() and letters.isalnum() and text[0].isalpha() and text.islower()
    )


def _window(node: nodes.Node) -> Limits:
    return read_window(node, "window").limits(Values(), "channel")


def _sample(node: nodes.Node) -> float:
    scalar = nodes.as_scalar(node, TIME.wanted)
    seconds = read_amount(scalar, TIME).value
    if not 0.0 < seconds <= 60.0:
        raise scalar.refused("a time above 0 s, at most 60 s")
    return seconds
