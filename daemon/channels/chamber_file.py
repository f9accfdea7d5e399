"""The chambers of a bench file, and which channels are in which.

chambers:
  oven:
    driver: espec
    address: serial:///dev/serial/by-id/usb-FTDI_…      # or tcp://…, or simulate: {speed: 1000}
    channels: [smu1, neware-1]
    band: 1 K                # how far from its set point it may be
    settle: 5 min            # how long within the band before it counts as there
    drift: hold              # or stop, or ignore
    after: 1 min             # of what lasts shorter nothing is made
    give_up: 2 h             # a run held for so long is stopped
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from daemon.channels.simulation_file import Simulation, read_empty_simulation
from daemon.guards.chamber import DEFAULT, Drift, Tolerance
from drivers import registry
from protocols import nodes
from protocols.errors import Problem, ProtocolError
from protocols.problems import Problems
from protocols.quantities import TIME, Kind, read_amount
from protocols.units import Dimension

_KELVINS = Kind("a difference of temperatures", (Dimension.TEMPERATURE,), "K")

_ZERO = 273.15
"""The language reads `1 K` as a temperature, and temperatures in degrees Celsius."""


@dataclass(frozen=True, slots=True)
class ChamberEntry:
    """One chamber of the bench and the channels in it."""

    name: str
    driver: str
    address: str | None
    simulation: Simulation | None
    channels: tuple[str, ...]
    tolerance: Tolerance


def read_chambers(node: nodes.Node, channels: Sequence[str]) -> Mapping[str, ChamberEntry]:
    """Read the mapping under `chambers:`; `channels` are those of the bench. Raises `ProtocolError`."""
    listed = nodes.as_mapping(node, "a mapping from names to chambers")
    problems = Problems()
    entries: dict[str, ChamberEntry] = {}
    taken: dict[str, str] = {}
    for key, value in listed.entries:
        with problems.gathered():
            entries[key.text] = _chamber(key, value, channels, taken)
    problems.settle()
    return entries


def _chamber(
    key: nodes.Scalar, node: nodes.Node, channels: Sequence[str], taken: dict[str, str]
) -> ChamberEntry:
    if key.text in channels:
        raise key.refused("another name than a channel's")
    entry = nodes.as_mapping(node, "a mapping with `driver`, `channels` and `address` or `simulate`")
    entry.only(
        ("driver", "address", "simulate", "channels", "band", "settle", "drift", "after", "give_up"),
        "a key of a chamber",
    )
    address, simulate = entry.take("address"), entry.take("simulate")
    if (address is None) == (simulate is None):
        seen = "neither `address` nor `simulate`" if address is None else "both `address` and `simulate`"
        raise ProtocolError(Problem(entry.place, seen, "one of them"))
    driver = nodes.as_scalar(entry.need("driver", "espec"), "the name of a chamber's driver")
    inside = nodes.as_list(entry.need("channels", "the channels in it"), "a list of channels")
    return ChamberEntry(
        name=key.text,
        driver=nodes.one_of(driver, registry.chamber_names(), "an installed chamber's driver"),
        address=nodes.as_scalar(address, "serial://…, tcp://… or visa://…").text if address else None,
        simulation=read_empty_simulation(simulate) if simulate is not None else None,
        channels=tuple(_inside(item, key.text, channels, taken) for item in inside.items),
        tolerance=_tolerance(entry),
    )


def _inside(node: nodes.Node, chamber: str, channels: Sequence[str], taken: dict[str, str]) -> str:
    scalar = nodes.as_scalar(node, "the name of a channel")
    name = nodes.one_of(scalar, channels, "a channel of this bench")
    if name in taken:
        raise scalar.refused(f"a channel in one chamber only; {name} is in {taken[name]}")
    taken[name] = chamber
    return name


def _tolerance(entry: nodes.MappingNode) -> Tolerance:
    drift = entry.take("drift")
    return Tolerance(
        band=_band(entry.take("band")),
        settle=_seconds(entry, "settle", DEFAULT.settle, 0.0, 86400.0),
        after=_seconds(entry, "after", DEFAULT.after, 1.0, 86400.0),
        give_up=_seconds(entry, "give_up", DEFAULT.give_up, 1.0, 30 * 86400.0),
        drift=DEFAULT.drift if drift is None else _drift(drift),
    )


def _band(node: nodes.Node | None) -> float:
    if node is None:
        return DEFAULT.band
    scalar = nodes.as_scalar(node, _KELVINS.wanted)
    value = read_amount(scalar, _KELVINS).value
    kelvins = value + _ZERO if scalar.text.endswith("K") else value
    if not 0.05 <= kelvins <= 50.0:
        raise scalar.refused("0.05 K to 50 K")
    return kelvins


def _drift(node: nodes.Node) -> Drift:
    scalar = nodes.as_scalar(node, "hold, stop or ignore")
    return Drift(nodes.one_of(scalar, list(Drift), "what drift does to a run"))


def _seconds(entry: nodes.MappingNode, key: str, usual: float, low: float, high: float) -> float:
    node = entry.take(key)
    if node is None:
        return usual
    scalar = nodes.as_scalar(node, TIME.wanted)
    value = read_amount(scalar, TIME).value
    if not low <= value <= high:
        raise scalar.refused(f"{low:g} s to {high:g} s")
    return value
