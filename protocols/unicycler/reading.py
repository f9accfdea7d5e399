"""A protocol of aurora-unicycler as a protocol file of ours."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from protocols.errors import Place, Problem, ProtocolError
from protocols.unicycler.folding import CrossingError, Folded, folded
from protocols.unicycler.library import checked

LARGEST = 64 * 1024  # bytes, like a protocol file
_OPEN = 20.0  # volts; amperes: an edge that is not there
_STEP = re.compile(r'"step"\s*:')


class Translated(NamedTuple):
    """The text of a protocol file; the notes say what was left out that only changes what is kept."""

    yaml: str
    notes: tuple[str, ...]


def is_unicycler(text: str) -> bool:
    """Whether the text is JSON with a `method`, as aurora-unicycler writes it."""
    return text.lstrip().startswith("{") and '"method"' in text


def to_yaml(text: str, file: str) -> Translated:
    """Translate the JSON of a protocol; what cannot be said in ours is a `ProtocolError` that names it.

    Jumps become nested repeats. A rate is turned into a current where the file gives the sample's
    capacity, else it is of the cell that will be used.
    """
    return _Translation(text, file).translated()


class _Translation:
    """One file on its way."""

    def __init__(self, text: str, file: str) -> None:
        self._text, self._file = text, file
        self._source = checked(file, _parsed(text, file))
        self._notes: list[str] = []

    def translated(self) -> Translated:
        try:
            entries = folded(self._source.method)
        except CrossingError as error:
            raise self._refused(error.index, str(error), "loops one inside the other") from error
        steps = list(self._entries(entries, "  "))
        head = [f"protocol: {_quoted(self._name())}", *self._limits(), *self._record(), "steps:"]
        notes = tuple(dict.fromkeys(self._notes))
        version = self._source.unicycler.version
        comments = [f"# From a protocol of aurora-unicycler {version}.", *(f"# {note}" for note in notes)]
        return Translated("\n".join([*comments, *head, *steps]) + "\n", notes)

    def _name(self) -> str:
        name = str(self._source.sample.name)
        return "aurora-unicycler protocol" if name.startswith("$") else name

    def _limits(self) -> Iterator[str]:
        safety = self._source.safety
        if safety.max_capacity_mAh:
            seen = f"safety.max_capacity_mAh {safety.max_capacity_mAh:g}"
            raise ProtocolError(
                Problem(
                    Place(self._file, 1, 1), seen, "an end of a step: there is no limit of a capacity here"
                )
            )
        if safety.delay_s:
            self._notes.append("safety.delay_s: a limit acts at the first reading outside, without delay")
        windows = [
            _window("voltage", "V", safety.min_voltage_V, safety.max_voltage_V, 1.0),
            _window("current", "mA", safety.min_current_mA, safety.max_current_mA, 1e3),
        ]
        known = [window for window in windows if window is not None]
        if known:
            yield f"limits: {{{', '.join(known)}}}"

    def _record(self) -> Iterator[str]:
        record = self._source.record
        parts = [f"every {record.time_s!r} s"]
        if record.voltage_V is not None:
            parts.append(f"{record.voltage_V!r} V")
        if record.current_mA is not None:
            self._notes.append("record.current_mA: readings are kept by time and voltage, not by current")
        yield f"record: {' or '.join(parts)}"

    def _entries(self, entries: Sequence[Folded], indent: str) -> Iterator[str]:
        for entry in entries:
            if entry.steps:
                yield f"{indent}- repeat: {entry.times}"
                if entry.mark is not None:
                    yield f"{indent}  mark: {_quoted(entry.mark)}"
                yield f"{indent}  steps:"
                yield from self._entries(entry.steps, indent + "    ")
            else:
                yield f"{indent}- {{{', '.join(self._step(entry.index, entry.step))}}}"

    def _step(self, index: int, step: Any) -> Iterator[str]:
        match step.step:
            case "open_circuit_voltage":
                yield f"rest: {step.until_time_s!r} s"
            case "constant_current":
                yield from self._constant_current(step)
            case "constant_voltage":
                yield from self._constant_voltage(step)
            case "voltage_scan":
                yield f"sweep: [{step.start_voltage_V!r} V, {step.end_voltage_V!r} V]"
                yield f"rate: {step.scan_rate_mV_per_s!r} mV/s"
            case "impedance_spectroscopy":
                yield from self._impedance(step)
            case other:
                raise self._refused(index, f"a step {other}", "a step known here")

    def _constant_current(self, step: Any) -> Iterator[str]:
        charging = (step.rate_C or step.current_mA) > 0
        yield f"{'charge' if charging else 'discharge'}: {self._current(step.rate_C, step.current_mA)}"
        ends = []
        if step.until_voltage_V:
            ends.append(f"voltage {'>=' if charging else '<='} {step.until_voltage_V!r} V")
        yield _until([*ends, *_time(step)])

    def _constant_voltage(self, step: Any) -> Iterator[str]:
        yield f"hold: {step.voltage_V!r} V"
        ends = []
        if step.until_rate_C or step.until_current_mA:
            ends.append(f"current <= {self._current(step.until_rate_C, step.until_current_mA)}")
        yield _until([*ends, *_time(step)])

    def _impedance(self, step: Any) -> Iterator[str]:
        amplitude = f"{step.amplitude_V!r} V" if step.amplitude_V is not None else f"{step.amplitude_mA!r} mA"
        high, low = sorted((step.start_frequency_Hz, step.end_frequency_Hz), reverse=True)
        if high != step.start_frequency_Hz:
            self._notes.append("impedance: measured from the highest frequency down, not upwards")
        if step.drift_correction:
            self._notes.append("impedance: without drift_correction")
        if step.measures_per_point != 1:
            self._notes.append("impedance: without measures_per_point, the instrument averages as it does")
        yield f"impedance: {amplitude}"
        yield f"from: {high!r} Hz"
        yield f"to: {low!r} Hz"
        yield f"points_per_decade: {step.points_per_decade}"

    def _current(self, rate: float | None, milliamperes: float | None) -> str:
        """Return a current without its sign; a rate goes before a current there."""
        if not rate:
            return f"{abs(milliamperes or 0.0)!r} mA"
        capacity = self._source.sample.capacity_mAh
        return f"{abs(rate)!r} C" if capacity is None else f"{abs(rate * capacity):.12g} mA"

    def _refused(self, index: int, seen: str, wanted: str) -> ProtocolError:
        places = [found.start() for found in _STEP.finditer(self._text)]
        line = self._text.count("\n", 0, places[index]) + 1 if index < len(places) else 1
        return ProtocolError(Problem(Place(self._file, line, 1), seen, wanted))


def _parsed(text: str, file: str) -> object:
    if len(text.encode(errors="replace")) > LARGEST:
        raise ProtocolError(Problem(Place(file, 1, 1), f"more than {LARGEST // 1024} KiB", "a smaller file"))
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = Place(file, error.lineno, error.colno)
        raise ProtocolError(Problem(place, error.msg, "the JSON of aurora-unicycler")) from error
    except (ValueError, RecursionError) as error:
        raise ProtocolError(Problem(Place(file, 1, 1), str(error), "the JSON of aurora-unicycler")) from error


def _window(name: str, unit: str, low: float | None, high: float | None, scale: float) -> str | None:
    if low is None and high is None:
        return None
    edges = (-_OPEN * scale if low is None else low, _OPEN * scale if high is None else high)
    return f"{name}: {edges[0]!r} {unit} .. {edges[1]!r} {unit}"


def _time(step: Any) -> list[str]:
    return [f"time >= {step.until_time_s!r} s"] if step.until_time_s else []


def _until(ends: Sequence[str]) -> str:
    return f"until: {' or '.join(ends)}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
