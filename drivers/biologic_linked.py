"""A whole protocol as one list of linked techniques, with loops: the instrument goes through it alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from drivers.biologic_compiler import STOP, Compiler, edge_tests
from drivers.biologic_exits import NEAR_SHARE, NEAR_VOLTS, Edge, Exits
from drivers.eclib_technique import Parameter, Technique
from drivers.ends import Done
from drivers.errors import RefusedError
from protocols.conditions import Quantity
from protocols.plan import PlannedEntry, PlannedRepeat, PlannedStep
from protocols.techniques import ConstantCurrent

NEXT_STEP, NEXT_TECHNIQUE = 0, 1
"""`Exit_Cond` of a test that leads on within its technique, and to the next one."""

MOST_TECHNIQUES = 20
"""In a list, as the maker's software has it."""

GATE_SECONDS = 0.01
"""How long the same is held once more after a step, to tell an end from a limit.

A technique's tests all lead to the same place. So an end leads to the next step of its technique, in
which the limits are tested again, and these stop the experiment and open the circuit.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """The techniques of one step of the plan, from the one numbered `first` on, and what ends it.

    `again` is how often the list goes back from here, and `target` the part it goes back to.
    """

    step: PlannedStep
    first: int
    count: int
    exits: Exits
    again: int = 0
    target: int = 0

    def holds(self, index: int) -> bool:
        """Whether a technique is one of its."""
        return self.first <= index < self.first + self.count


@dataclass(slots=True)
class Linked:
    """Techniques, and the parts of the plan they are of."""

    techniques: list[Technique] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    @property
    def longest_loop(self) -> int:
        """How many techniques the longest loop has."""
        return max(
            (part.first + part.count - self.parts[part.target].first for part in self.parts if part.again),
            default=0,
        )

    def text(self) -> str:
        """Return it for people to read."""
        lines: list[str] = []
        for index, technique in enumerate(self.techniques):
            head, *rest = technique.lines()
            lines += [f"{index}: {head}", *rest]
        return "\n".join(lines) + "\n"


class Beginning(NamedTuple):
    """Where the first step of a list begins: what it had behind it, and the voltage of the open circuit.

    It is a hold only where a protocol is resumed in the middle of one; `charging` then is its current.
    """

    done: Done = Done()
    open_circuit: float = 0.0
    charging: bool = True


FROM_NOTHING = Beginning()


def linked(
    compiler: Compiler, entries: Sequence[PlannedEntry], beginning: Beginning = FROM_NOTHING
) -> Linked:
    """Return the list of a plan that can be held."""
    found = Linked()
    before: PlannedStep | None = None
    for entry in entries:
        if isinstance(entry, PlannedRepeat):
            target = len(found.parts)
            for step in _steps(entry):
                _add(found, compiler, step, before, beginning)
                before = step
            if entry.times > 1:
                times = entry.times - 1
                back = Technique.of("loop", loop_N_times=times, protocol_number=found.parts[target].first)
                found.techniques.append(back)
                found.parts[-1] = replace(found.parts[-1], again=times, target=target)
        else:
            _add(found, compiler, entry, before, beginning)
            before = entry
    return found


def _steps(repeat: PlannedRepeat) -> list[PlannedStep]:
    steps = [step for step in repeat.steps if isinstance(step, PlannedStep)]
    if len(steps) < len(repeat.steps):
        raise RefusedError(f"line {repeat.line}: a loop in a loop")
    return steps


def _add(
    found: Linked,
    compiler: Compiler,
    step: PlannedStep,
    before: PlannedStep | None,
    beginning: Beginning,
) -> None:
    if before is None:
        compiled = compiler.compiled(step, beginning.done, beginning.charging, beginning.open_circuit)
    else:
        technique = before.technique
        charging = not isinstance(technique, ConstantCurrent) or technique.amperes > 0.0
        compiled = compiler.compiled(step, Done(), charging, approaches=False)
    techniques = [_handed_on(technique, compiled.exits) for technique in compiled.techniques]
    found.parts.append(Part(step, len(found.techniques), len(techniques), compiled.exits))
    found.techniques += techniques


def _handed_on(technique: Technique, exits: Exits) -> Technique:
    """Return the technique with its ends leading to the next one, and its limits to an open circuit."""
    if exits.observed is None:
        return technique
    if any(parameter.index for parameter in technique.parameters):
        return technique  # the approach of a hold, which no end leads on from
    gate = gate_of(exits)
    kept = [p for p in technique.parameters if not p.label.startswith("Test") and p.label != "Exit_Cond"]
    if gate is None:
        return replace(technique, parameters=(*kept, *edge_tests(exits, NEXT_TECHNIQUE)))
    return replace(
        technique,
        parameters=(*_twice(kept), *edge_tests(exits, NEXT_STEP), *edge_tests(gate, STOP, step=1)),
    )


def _twice(parameters: Sequence[Parameter]) -> Iterator[Parameter]:
    """Yield the parameters of a step, and those of one that holds the same for a moment."""
    for parameter in parameters:
        match parameter.label:
            case "Step_number":
                yield replace(parameter, value=1)
            case "Duration_step":
                yield parameter
                yield replace(parameter, value=GATE_SECONDS, index=1)
            case "Current_step" | "Voltage_step" | "vs_initial":
                yield parameter
                yield replace(parameter, index=1)
            case _:
                yield parameter


def gate_of(exits: Exits) -> Exits | None:
    """Return the edges that are limits once a step is over; None where whatever ended it was an end."""
    low = exits.low if exits.low is not None and exits.low.limit else None
    high = exits.high if exits.high is not None and exits.high.limit else None
    if exits.seconds.limit:  # over without its end: beyond this side of it
        if exits.high is not None and not exits.high.limit:
            low = Edge(exits.high.value - _near(exits, exits.high), exits.seconds.text, limit=True)
        elif exits.low is not None and not exits.low.limit:
            high = Edge(exits.low.value + _near(exits, exits.low), exits.seconds.text, limit=True)
    return None if low is None and high is None else replace(exits, low=low, high=high)


def _near(exits: Exits, edge: Edge) -> float:
    return NEAR_VOLTS if exits.observed is Quantity.VOLTAGE else NEAR_SHARE * abs(edge.value)
