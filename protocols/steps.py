"""The steps of a protocol as they are written: verbs, repeats, lists to walk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from protocols.ends import WrittenCondition, WrittenFade, read_condition, read_fade
from protocols.errors import Place, Problem, ProtocolError
from protocols.nodes import (
    ListNode,
    MappingNode,
    Node,
    Scalar,
    as_list,
    as_mapping,
    as_scalar,
    did_you_mean,
    refused,
    shown,
)
from protocols.operands import Operand
from protocols.problems import Problems
from protocols.quantities import COUNT
from protocols.rules import WrittenRule, read_rule
from protocols.spectra import ImpedanceVerb
from protocols.strings import read_string
from protocols.sweeps import SweepVerb
from protocols.verbs import (
    ChamberVerb,
    CurrentVerb,
    HoldVerb,
    PolariseVerb,
    PowerVerb,
    ResistanceVerb,
    RestVerb,
)
from protocols.written import WrittenTechnique

MOST_STEPS = 2000
"""Steps in one list, and in a plan once `for` is unrolled."""


@dataclass(frozen=True, slots=True)
class WrittenStep:
    """One step: a verb with its value, its ends, and what of it is kept."""

    place: Place
    verb: str
    technique: WrittenTechnique
    until: WrittenCondition | None = None
    record: WrittenRule | None = None
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class WrittenRepeat:
    """`repeat: 100` with nested `steps`."""

    place: Place
    times: Operand
    steps: "tuple[WrittenEntry, ...]"
    until: WrittenFade | None = None
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class WrittenFor:
    """`for: rate` with `in: [...]`: its steps once for every value, one after the other."""

    place: Place
    variable: Scalar
    values: tuple[Scalar, ...]
    steps: "tuple[WrittenEntry, ...]"
    mark: str | None = None


WrittenEntry = WrittenStep | WrittenRepeat | WrittenFor


class Verb(NamedTuple):
    """How a verb is read, and the keys it brings beside those every step has."""

    read: Callable[[Node, MappingNode], WrittenTechnique]
    keys: tuple[str, ...] = ()


VERBS: Mapping[str, Verb] = {
    "rest": Verb(RestVerb.read),
    "charge": Verb(CurrentVerb.read_charging),
    "discharge": Verb(CurrentVerb.read_discharging),
    "plate": Verb(CurrentVerb.read_discharging),
    "strip": Verb(CurrentVerb.read_charging),
    "hold": Verb(HoldVerb.read),
    "power": Verb(PowerVerb.read),
    "resistance": Verb(ResistanceVerb.read),
    "polarise": Verb(PolariseVerb.read, ("versus",)),
    "sweep": Verb(SweepVerb.read, ("rate", "cycles")),
    "impedance": Verb(ImpedanceVerb.read, ("from", "to", "points_per_decade", "versus")),
    "chamber": Verb(ChamberVerb.read),
}
"""Every verb of a step; `repeat` and `for` stand beside them."""

EVERY_STEP = ("until", "record", "mark")
_WORDS = (*VERBS, "repeat", "for")
_LONGEST_KEY_SHOWN = 40


def read_steps(node: Node, problems: Problems) -> tuple[WrittenEntry, ...]:
    """Read a list of steps; what is wrong in each goes to `problems`, and the others are still read."""
    steps: list[WrittenEntry] = []
    with problems.gathered():
        items = as_list(node, "a list of steps")
        if len(items.items) > MOST_STEPS:
            raise refused(node, f"at most {MOST_STEPS} steps in a list; use `repeat`")
        for item in items.items:
            with problems.gathered():
                steps.append(_entry(item, problems))
    return tuple(steps)


def _entry(node: Node, problems: Problems) -> WrittenEntry:
    if isinstance(node, Scalar):
        sentence = read_string(as_scalar(node, "a step"))
        return WrittenStep(node.place, sentence.verb, sentence.technique, sentence.until)
    step = as_mapping(node, "a step such as `rest: 10 min`")
    words = [key for key in step.keys if key in _WORDS]
    if len(words) != 1:
        raise _unclear(step, words)
    match words[0]:
        case "repeat":
            return _repeat(step, problems)
        case "for":
            return _for(step, problems)
    return _step(step, words[0])


def _unclear(step: MappingNode, words: list[str]) -> ProtocolError:
    if words:
        return ProtocolError(Problem(step.place, f"{' and '.join(words)} in one step", "one verb per step"))
    keys = [key[:_LONGEST_KEY_SHOWN] for key in step.keys[:5]]
    hint = next((hint for key in keys if (hint := did_you_mean(key, _WORDS))), "")
    seen = f"a step with {', '.join(keys) or 'nothing'} only"
    return ProtocolError(Problem(step.place, seen, f"a verb: {', '.join(_WORDS)}{hint}"))


def _step(step: MappingNode, word: str) -> WrittenStep:
    """Read one step; its parts are independent, so every wrong one is told."""
    verb, problems = VERBS[word], Problems()
    with problems.gathered():
        step.only((word, *verb.keys, *EVERY_STEP), f"a key of `{word}`")
    technique, until, record, mark = None, None, None, None
    with problems.gathered():
        technique = verb.read(step.need(word, "a value"), step)
    with problems.gathered():
        until = _until(step, word)
    with problems.gathered():
        record = _record(step)
    with problems.gathered():
        mark = _mark(step)
    problems.settle()
    if technique is None:
        raise refused(step, "a step")
    return WrittenStep(step.place, word, technique, until, record, mark)


def _until(step: MappingNode, word: str) -> WrittenCondition | None:
    node = step.take("until")
    if node is None:
        return None
    scalar = as_scalar(node, "a condition such as `voltage >= 4.2 V or time >= 2 h`")
    if word == "chamber":
        raise scalar.refused("no `until`: `chamber` ends when the temperature is reached")
    return read_condition(scalar)


def _record(step: MappingNode) -> WrittenRule | None:
    node = step.take("record")
    return None if node is None else read_rule(as_scalar(node, "a rule such as `every 10 s or 5 mV`"))


def _mark(step: MappingNode) -> str | None:
    node = step.take("mark")
    return None if node is None else as_scalar(node, "a name").text


def _repeat(step: MappingNode, problems: Problems) -> WrittenRepeat:
    with problems.gathered():
        step.only(("repeat", "steps", "until", "mark"), "a key of `repeat`")
    inner = read_steps(step.need("steps", "[...]"), problems)
    until = step.take("until")
    return WrittenRepeat(
        place=step.place,
        times=Operand.read(as_scalar(step.need("repeat", "100"), COUNT.wanted), COUNT),
        steps=inner,
        until=None if until is None else read_fade(as_scalar(until, "`retention < 80 %`")),
        mark=_mark(step),
    )


def _for(step: MappingNode, problems: Problems) -> WrittenFor:
    with problems.gathered():
        step.only(("for", "in", "steps", "mark"), "a key of `for`")
    inner = read_steps(step.need("steps", "[...]"), problems)
    variable = as_scalar(step.need("for", "rate"), "a name such as rate")
    items: ListNode = as_list(step.need("in", "[0.2 C, 1 C]"), "a list of values")
    if len(items.items) > MOST_STEPS:
        raise refused(items, f"at most {MOST_STEPS} values")
    values = tuple(as_scalar(item, "a value") for item in items.items)
    return WrittenFor(step.place, variable, values, inner, _mark(step))


def describe(entry: WrittenEntry) -> str:
    """Return what a message calls this entry."""
    match entry:
        case WrittenStep(verb=verb, technique=technique):
            return f"`{verb}: {technique.scalar.text}`"
        case WrittenRepeat(times=times):
            return f"`repeat: {times.scalar.text}`"
        case WrittenFor(variable=variable):
            return f"`for: {shown(variable)}`"
