"""The protocol file: what to do to a cell, read and checked but not yet made ready for one."""

import json
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from protocols import source
from protocols.figures.circuit_string import CIRCUIT, CircuitTextError, read_circuit
from protocols.nodes import (
    ListNode,
    MappingNode,
    Node,
    Scalar,
    as_list,
    as_mapping,
    as_name,
    as_scalar,
    one_of,
)
from protocols.operands import Values
from protocols.problems import Problems
from protocols.rules import WrittenRule, read_rule
from protocols.steps import WrittenEntry, read_steps
from protocols.variables import Variable, check_names, read_variables
from protocols.window import WrittenWindow, read_window

FIGURES = (
    "capacity",
    "coulombic_efficiency",
    "capacity_decay",
    "hysteresis",
    "energy_efficiency",
    "nucleation_overpotential",
    "overpotential",
    "soft_short",
    "rate_capability",
    "average_coulombic_efficiency",
    "bulk_resistance",
    "ionic_conductivity",
    "transference_number",
    "pulse_resistance",
    "voltammetry_peaks",
    "plateau_capacity",
    "differential_capacity_peaks",
    "diffusion_coefficient",
    "macmullin_number",
    "kramers_kronig",
    "resistance_drift",
)
"""The figures of merit a protocol may ask for, besides a circuit of its own."""

KEYS = ("protocol", "note", "variables", "limits", "record", "steps", "figures")

Plain: typing.TypeAlias = "str | list[Plain] | dict[str, Plain]"


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol file; `protocols.resolve` makes a plan of it for one cell on one channel."""

    name: str
    steps: tuple[WrittenEntry, ...]
    variables: tuple[Variable, ...]
    limits: WrittenWindow | None
    record: WrittenRule | None
    figures: tuple[str, ...]
    root: MappingNode

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a protocol file; one `ProtocolError` tells everything that is wrong with it."""
        return cls._read(source.load(path))

    @classmethod
    def parse(cls, text: str | bytes, file: str = "protocol") -> Self:
        """Read a protocol from text; `file` is what messages call it."""
        return cls._read(source.parse(text, file))

    def canonical(self, variables: Mapping[str, str]) -> str:
        """Return the protocol as JSON with sorted keys and its variables filled in.

        It does not change with comments, the order of keys, blanks or the way YAML was laid out.
        """
        entries = tuple(entry for entry in self.root.entries if entry[0].text != "variables")
        values = Values(variables=variables)
        plain = _plain(MappingNode(entries, self.root.place), values)
        return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def _read(cls, node: Node) -> Self:
        root = as_mapping(node, "a protocol file, which begins with `protocol: <name>`")
        problems = Problems()
        with problems.gathered():
            root.only(KEYS, "a key of a protocol file")
        name, limits, record = "", None, None
        with problems.gathered():
            name = as_name(root.need("protocol", "<name>"), "a name").text
        declared = root.take("variables")
        variables = () if declared is None else read_variables(declared, problems)
        with problems.gathered():
            limits = None if (window := root.take("limits")) is None else read_window(window, "limits")
        with problems.gathered():
            record = _record(root.take("record"))
        steps: tuple[WrittenEntry, ...] = ()
        with problems.gathered():
            steps = read_steps(root.need("steps", "[...]"), problems)
        figures = _figures(root.take("figures"), problems)
        if declared is None or isinstance(declared, MappingNode):
            check_names(_without_variables(root), _names(declared), problems)
        problems.settle()
        return cls(name, steps, variables, limits, record, figures, root)


def _names(declared: MappingNode | None) -> tuple[str, ...]:
    return () if declared is None else declared.keys


def _without_variables(root: MappingNode) -> MappingNode:
    return MappingNode(tuple(entry for entry in root.entries if entry[0].text != "variables"), root.place)


def _record(node: Node | None) -> WrittenRule | None:
    return None if node is None else read_rule(as_scalar(node, "a rule such as `every 10 s or 5 mV`"))


def _figures(node: Node | None, problems: Problems) -> tuple[str, ...]:
    if node is None:
        return ()
    names: list[str] = []
    with problems.gathered():
        for item in as_list(node, "a list of figures").items:
            with problems.gathered():
                names.append(_figure(item))
    return tuple(names)


def _figure(node: Node) -> str:
    """A figure's name, or `circuit: R0-p(R1,CPE1)` as such: the circuit to fit to every spectrum."""
    if not isinstance(node, MappingNode):
        return one_of(as_scalar(node, "a figure's name, or `circuit: …`"), FIGURES, "a figure")
    node.only(("circuit",), "a figure with something to say")
    text = as_scalar(node.need("circuit", "R0-p(R1,CPE1)"), "a circuit such as R0-p(R1,CPE1)")
    try:
        return f"{CIRCUIT}{read_circuit(text.text).text}"
    except CircuitTextError as error:
        raise text.part(min(error.at, len(text.text) - 1)).refused(error.wanted, error.seen) from error


def _plain(node: Node, values: Values) -> Plain:
    match node:
        case Scalar():
            return " ".join(values.text(node.text).split())
        case ListNode():
            return [_plain(item, values) for item in node.items]
        case MappingNode():
            return {key.text: _plain(value, values) for key, value in node.entries}
