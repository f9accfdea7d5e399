"""One step as a MethodSCRIPT: the instrument runs it alone, with its ends, its windows and its own clean-up.

Every script ends with `on_finished:` and `cell_off`, which the instrument also runs after an abort
and after an error. Before the cell is connected its open-circuit voltage must be inside the window.
"""

import math
from dataclasses import replace

from drivers import emstat4_sampling as sampling
from drivers.base import Program
from drivers.emstat4_conditions import alternatives, held
from drivers.emstat4_models import Model
from drivers.emstat4_pacing import Pacing
from drivers.ends import Done
from drivers.errors import RefusedError
from drivers.methodscript import Script, literal
from protocols.limits import Bound, Range
from protocols.plan import PlannedStep
from protocols.recording import Recording
from protocols.techniques import ConstantCurrent, ConstantVoltage, Impedance, Level, Rest, Sweep

AMPLITUDE_IS_RMS = True
"""Whether `meas_loop_eis` and `meas_loop_geis` take the amplitude as rms; ours is a peak.

The variable type of an applied amplitude is documented as rms. Not verified on hardware.
"""

FINEST_STAIR, COARSEST_STAIR = 2e-4, 5e-3
"""Volts of one stair of a sweep: no less than the converter resolves, no more than a peak's detail."""

OPEN_CIRCUIT_SECONDS = 0.1

HOST_SECONDS = 30.0
"""How often a sample is sent at least where the host has something to judge."""

IMPEDANCE_BANDWIDTH = 1e6

CURRENT_DECADES = 1e-5
"""Autoranging goes down to this part of the largest current, or to the smallest range."""


def script_text(tag: str, program: Program, model: Model) -> str:
    """Return the script of a step. Raises `RefusedError` for what cannot be written down."""
    if not (tag.isascii() and tag.isprintable() and '"' not in tag and len(tag) <= 100):
        raise RefusedError(f"tag {tag!r}: wanted up to 100 printable ASCII characters without quotes")
    try:
        text = _Writer(tag, program, model).text()
    except ValueError as error:
        raise RefusedError(f"step {program.step.path}: {error}") from error
    if len(text) > model.script_size:
        raise RefusedError(
            f"step {program.step.path}: its script has {len(text)} characters, of which an {model.name} "
            f"holds {model.script_size}; wanted a step with fewer ends"
        )
    return text


class _Writer:
    """Writes one script; methods append to it in the order in which the instrument runs it."""

    def __init__(self, tag: str, program: Program, model: Model) -> None:
        self._script = Script()
        self._tag, self._model, self._step = tag, model, program.step
        self._record = _sent(program.step)
        self._voltage = _closed(program.limits.voltage, model.volts)
        self._current = _closed(program.limits.current, model.amperes)
        done = Done.before(program)
        self._judgement = sampling.Judgement(
            alternatives(program.step.until, done),
            self._voltage,
            self._current,
            max(program.step.ceiling.seconds - done.seconds, 0.0),
            max(program.step.ceiling.coulombs - done.coulombs, 0.0),
        )
        self._pacing = Pacing.of(program, math.ceil(self._judgement.seconds), self._voltage)

    def text(self) -> str:
        self._head()
        match self._step.technique:
            case Rest():
                self._rest()
            case ConstantCurrent(amperes):
                self._constant_current(amperes)
            case ConstantVoltage(level):
                self._constant_voltage(level)
            case Sweep() as sweep:
                self._sweep(sweep)
            case Impedance() as impedance:
                self._impedance(impedance)
            case _:
                raise RefusedError(f"step {self._step.path}: an EmStat4 cannot do {self._step.verb!r}")
        self._tail()
        return self._script.text

    def _head(self) -> None:
        self._script.add(f"# {self._step.path} {self._step.verb}".encode("ascii", "replace").decode())
        for name, kind in sampling.TYPES.items():
            self._script.add(f"var {name}", f"store_var {name} 0 {kind}")
        self._script.set("s", 1.0, "jd")
        self._script.add(f'send_string "tag {self._tag}"', "set_pgstat_chan 0")

    def _tail(self) -> None:
        if isinstance(self._step.technique, Impedance):
            with self._script.when(f"k == {sampling.VOLTAGE_LIMIT}"):
                self._script.package("t", "e", "i", "q", "w")  # what was seen is told before it is judged
        else:
            sampling.send_last(self._script)
        sampling.say_why(self._script, self._judgement.codes)
        self._script.add("on_finished:", "cell_off")

    def _rest(self) -> None:
        self._script.add("set_pgstat_mode 3", f"set_max_bandwidth {literal(self._pacing.bandwidth)}")
        self._potential_range()
        self._script.add("cell_off")
        self._pacing.loop(self._script, "meas_loop_ocp e", lambda: self._sample(measures_current=False))

    def _constant_current(self, amperes: float) -> None:
        self._open_circuit()
        with self._script.when("k == 0"):
            self._script.add("set_pgstat_mode 6", f"set_max_bandwidth {literal(self._pacing.bandwidth)}")
            self._potential_range()
            self._script.add(f"set_range db {literal(abs(amperes))}", "set_i 0", "cell_on")
            self._pacing.loop(self._script, f"meas_loop_cp e i {literal(amperes)}", self._sample)

    def _constant_voltage(self, level: Level) -> None:
        self._open_circuit()
        self._level("v", level)
        with self._script.when("k == 0"):
            self._potentiostat()
            self._script.add("set_e v", "cell_on")
            self._pacing.loop(self._script, "meas_loop_ca e i v", self._sample)

    def _sweep(self, sweep: Sweep) -> None:
        """Leg by leg: the instrument's own cyclic sweep would return to its start each time."""
        stair = self._stair(sweep)
        turns = [f"g{index}" for index in range(len(sweep.vertices))]
        self._script.add(*(f"var {name}" for name in ("a", "c", *turns)))
        self._script.set("c", 0.0)
        self._open_circuit()
        for name, level in zip(("a", *turns), (sweep.start, *sweep.vertices), strict=True):
            self._level(name, level)
        with self._script.when("k == 0"):
            self._potentiostat()
            self._script.add("set_e a", "cell_on", "timer_start")
            with self._script.loop(f"loop c < {sweep.cycles}"):
                for turn in turns:
                    self._leg(turn, stair, sweep.rate)
                self._script.add("add_var c 1")

    def _leg(self, turn: str, stair: float, rate: float) -> None:
        with self._script.when("k == 0", f"a != {turn}"):
            with self._script.loop(f"meas_loop_lsv e i a {turn} {literal(stair)} {literal(rate)}"):
                self._sample()
                self._script.add("copy_var e p")
                self._break_at_an_end()
            self._script.add(f"copy_var {turn} a")
        with self._script.when("k > 0"):
            self._script.add("breakloop")

    def _stair(self, sweep: Sweep) -> float:
        wished = sweep.rate * self._pacing.interval
        if self._record.voltage_step is not None:
            wished = min(wished, self._record.voltage_step)
        return min(max(wished, FINEST_STAIR), COARSEST_STAIR)

    def _impedance(self, impedance: Impedance) -> None:
        decades = math.log10(impedance.highest / impedance.lowest)
        points = round(decades * impedance.points_per_decade) + 1
        amplitude = impedance.amplitude / math.sqrt(2.0) if AMPLITUDE_IS_RMS else impedance.amplitude
        spectrum = f"{literal(amplitude)} {literal(impedance.highest)} {literal(impedance.lowest)} {points}i"
        self._script.add("var f", "var r", "var z")
        self._open_circuit()
        if impedance.galvanostatic:
            # "versus open circuit" is around no current at all
            head = f"meas_loop_geis f r z {spectrum} {literal(impedance.bias.volts)}"
        else:
            self._level("v", impedance.bias)
            head = f"meas_loop_eis f r z {spectrum} v"
        with self._script.when("k == 0"):
            self._connect_for(impedance)
            self._script.add("timer_start")
            with self._script.loop(head):
                self._script.add("timer_get t")
                self._script.package("t", "f", "r", "z")
                sampling.judge_time(self._script, self._judgement)
                self._break_at_an_end()

    def _connect_for(self, impedance: Impedance) -> None:
        if impedance.galvanostatic:
            largest = abs(impedance.bias.volts) + impedance.amplitude
            self._script.add("set_pgstat_mode 6", f"set_max_bandwidth {literal(IMPEDANCE_BANDWIDTH)}")
            self._potential_range()
            self._script.add(f"set_range db {literal(largest)}", f"set_i {literal(impedance.bias.volts)}")
        else:
            self._potentiostat()
            self._script.add(f"set_max_bandwidth {literal(IMPEDANCE_BANDWIDTH)}", "set_e v")
        self._script.add("cell_on")

    def _open_circuit(self) -> None:
        """Measure the cell before it is connected; outside the window it will not be."""
        self._script.add("set_pgstat_mode 3", f"set_max_bandwidth {literal(self._pacing.bandwidth)}")
        self._potential_range()
        self._script.add("cell_off", f"meas {literal(OPEN_CIRCUIT_SECONDS)} o ab", "copy_var o e")
        sampling.check_voltage(self._script, "o", self._voltage)

    def _level(self, name: str, level: Level) -> None:
        self._script.set(name, level.volts, "da")
        if level.versus_open_circuit:
            self._script.add(f"add_var {name} o")
        sampling.check_voltage(self._script, name, self._voltage)

    def _potentiostat(self) -> None:
        low, high = _edges(self._voltage)
        largest = max(map(abs, _edges(self._current)))
        smallest = max(self._model.smallest_current_range, largest * CURRENT_DECADES)
        self._script.add(
            f"set_range_minmax da {literal(low)} {literal(high)}",
            f"set_range ba {literal(largest)}",
            f"set_autoranging ba {literal(smallest)} {literal(largest)}",
        )

    def _potential_range(self) -> None:
        if not self._model.potential_ranges:
            return
        largest = literal(max(map(abs, _edges(self._voltage))))
        self._script.add(f"set_range ab {largest}", f"set_autoranging ab {largest} {largest}")

    def _sample(self, measures_current: bool = True) -> None:
        self._script.add("timer_get t")
        sampling.count(self._script, measures_current)
        sampling.judge(self._script, self._judgement, measures_current)
        sampling.thin(self._script, self._record, self._pacing.interval)
        sampling.send(self._script, self._record)

    def _break_at_an_end(self) -> None:
        with self._script.when("k > 0"):
            self._script.add("breakloop")


def _sent(step: PlannedStep) -> Recording:
    """What is sent: the step's record, and often enough for the host where it has to judge."""
    if step.until is None or all(map(held, step.until.comparisons())):
        return step.record
    every = HOST_SECONDS if step.record.every is None else min(step.record.every, HOST_SECONDS)
    return replace(step.record, every=every)


def _closed(window: Range, rating: float) -> Range:
    """The window inside the rating, no side open."""
    low = -rating if window.low is None else max(window.low.value, -rating)
    high = rating if window.high is None else min(window.high.value, rating)
    return Range(Bound(low, "channel"), Bound(high, "channel"))


def _edges(window: Range) -> tuple[float, float]:
    """Both edges of a closed window."""
    if window.low is None or window.high is None:
        raise ValueError("the window has an open side")
    return window.low.value, window.high.value
