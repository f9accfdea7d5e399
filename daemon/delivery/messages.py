"""What the core tells the recorder: the payload of the batched message per instrument and tick.

Everything is SI and carries its own key, so that a repeat is harmless: readings and impedance
points are numbered from 1 without gaps per run, steps and notes by their ordinal. Readings travel
as rows, those of a scan as columns; everything else is rare and travels with its field names.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

VERSION = 1


class ReadingRow(NamedTuple):
    """One kept reading; `time` in seconds since the run began, by the instrument's clock.

    `capacity` (coulomb) and `energy` (joule) count from the start of the step and carry the sign
    of the current.
    """

    time: float
    voltage: float
    current: float
    capacity: float
    energy: float
    temperature: float | None
    flags: int


class ImpedanceRow(NamedTuple):
    """One kept impedance point, ohm and hertz."""

    time: float
    frequency: float
    real: float
    imaginary: float
    flags: int


class RunStarted(msgspec.Struct, tag="run started", frozen=True):
    """Everything a run froze when it began."""

    run: str
    started: str  # UTC, ISO 8601
    channel: str
    driver: str
    instrument: Mapping[str, str]  # maker, model, serial, firmware, address
    protocol: str
    protocol_digest: str
    protocol_canonical: str
    protocol_source: str
    cell: str
    cell_facts: Mapping[str, Any]  # the cell file as plain SI data
    variables: Mapping[str, str]
    limits: Mapping[str, Any]
    figures: Sequence[str]
    versions: Mapping[str, str]
    simulated: bool
    labels: Mapping[str, str] = {}  # what people say of it: its study, its variant, an operator
    accuracy: Mapping[str, float] = {}  # what the maker states, `Accuracy` as plain data


class StepStarted(msgspec.Struct, tag="step started", frozen=True):
    """A step took over the channel."""

    run: str
    ordinal: int  # from 1, in the order they ran
    time: float
    path: str
    line: int
    verb: str
    setting: str
    set_value: float | None  # ampere, volt, watt or ohm; None for rest, sweep, impedance
    cycle: int
    rounds: Sequence[int]
    marks: Sequence[str]
    open_circuit_voltage: float | None


class Readings(msgspec.Struct, tag="readings", frozen=True):
    """Consecutive readings of one step; the first has number `first`, the next `first + 1`."""

    run: str
    step: int
    cycle: int
    first: int
    rows: Sequence[ReadingRow]


class ScanReadings(msgspec.Struct, tag="scan", frozen=True):
    """One reading each of many runs, taken together: what a rack shows at one moment.

    The lists have one entry per reading. The columns are little-endian: `numbers` 64-bit integers, the
    others 64-bit floats with the meaning they have in `ReadingRow`. None has a temperature or a flag.
    """

    runs: Sequence[str]
    steps: Sequence[int]
    cycles: Sequence[int]
    numbers: bytes
    times: bytes
    voltages: bytes
    currents: bytes
    capacities: bytes
    energies: bytes


class ImpedancePoints(msgspec.Struct, tag="impedance", frozen=True):
    """Consecutive points of one spectrum, numbered like readings but on their own."""

    run: str
    step: int
    cycle: int
    first: int
    rows: Sequence[ImpedanceRow]


class StepEnded(msgspec.Struct, tag="step ended", frozen=True):
    """A step is over: why, and what it passed, counted over every reading, kept or not."""

    run: str
    ordinal: int
    time: float
    reason: str
    duration: float
    capacity: float  # coulomb, signed like the current
    energy: float  # joule, signed like the current
    first_reading: int | None
    last_reading: int | None
    start_voltage: float | None
    end_voltage: float | None
    mean_voltage: float | None  # energy over charge; time mean where no charge passed
    own_capacity: float | None = None  # integral of the readings, where the instrument counted itself


class Noted(msgspec.Struct, tag="noted", frozen=True):
    """Something a person reading the run should know: paused, resumed, a gap, a retry."""

    run: str
    ordinal: int  # from 1, per run
    time: float
    kind: str
    text: str
    detail: Mapping[str, Any] = {}
    moment: float | None = None  # UTC seconds; a simulated cell lives faster than `time` would have it


class RunEnded(msgspec.Struct, tag="run ended", frozen=True):
    """The run's one stop record."""

    run: str
    ended: str  # UTC, ISO 8601
    time: float
    state: str  # finished, stopped, tripped, failed
    reason: str
    readings: int  # how many were numbered
    impedance_points: int


Item = RunStarted | StepStarted | Readings | ScanReadings | ImpedancePoints | StepEnded | Noted | RunEnded


class Batch(msgspec.Struct, frozen=True):
    """One message: what one instrument had to say in one tick.

    `sequence` grows by one per batch of this core's state directory and is what the recorder
    acknowledges. `epoch` grows with every start of the core.
    """

    core: str
    epoch: int
    sequence: int
    instrument: str
    items: Sequence[Item]
    version: int = VERSION


class Acknowledged(msgspec.Struct, frozen=True):
    """The recorder has committed these batches of this core, all of them by that commit of that database.

    The commit took `took` seconds, and the first of its messages had waited for it for `waited` seconds.
    """

    core: str
    recorder: str
    sequences: Sequence[int]
    database: str = ""
    commits: int = 0
    waited: float = 0.0
    took: float = 0.0


class RecorderHello(msgspec.Struct, frozen=True):
    """A recorder is listening: whatever is not acknowledged may be sent (again).

    `holdings` and `backed_up` tell what its database and the newest backup hold, as in
    `daemon.recording.lineage`.
    """

    recorder: str
    holdings: Mapping[str, int] = {}
    backed_up: Mapping[str, int] = {}


def data_topic(core: str, instrument: str) -> str:
    """Topic of the batches of one instrument."""
    return f"galvanod/v1/{core}/data/{instrument}"


def acknowledged_topic(core: str) -> str:
    """Topic of the acknowledgements for one core."""
    return f"galvanod/v1/{core}/acknowledged"


HELLO_TOPIC = "galvanod/v1/recorder/hello"
DATA_TOPICS = "galvanod/v1/+/data/+"
