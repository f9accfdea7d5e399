"""What is known of the cell on a channel: the facts that turn lab units into amperes and coulombs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from protocols import source
from protocols.limits import Limits, Range
from protocols.nodes import MappingNode, Node, as_mapping, as_name, as_scalar
from protocols.operands import Facts, Operand, Values
from protocols.problems import Problems
from protocols.quantities import AREA, CAPACITY, CONDUCTIVITY, LENGTH, MASS, SPECIFIC_CAPACITY, Kind
from protocols.window import read_window

TEXTS = ("chemistry", "working_electrode", "counter_electrode", "electrolyte", "note")
"""What a cell file says in words, for people."""
_AMOUNTS: Mapping[str, Kind] = {
    "area": AREA,
    "active_mass": MASS,
    "theoretical_capacity": SPECIFIC_CAPACITY,
    "nominal_capacity": CAPACITY,
}
_MEASURED: Mapping[str, Kind] = {"electrolyte_conductivity": CONDUCTIVITY, "diffusion_length": LENGTH}
"""Facts that figures need and units do not."""
_EXPECTED: Mapping[str, Kind] = {"expected_capacity": CAPACITY}
"""What forecasts count with, in any unit of a capacity: never what a C is counted from."""

KEYS = ("cell", *_AMOUNTS, *_MEASURED, *_EXPECTED, "window", "separator", *TEXTS)


@dataclass(frozen=True, slots=True)
class Separator:
    """What lies between the electrodes; `thickness` in metres."""

    name: str
    thickness: float | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell file, in SI: square metres, kilograms, coulombs (per kilogram), metres, siemens per metre.

    `electrolyte_conductivity` is that of the free electrolyte, `diffusion_length` how far an ion diffuses
    in the active material (a third of a particle's radius, or a film's thickness).

    `expected_capacity` is what the cell is thought to deliver, for forecasts alone.
    `uncertainties` holds the standard uncertainty of a fact that was written with `+-`, by the
    fact's name (`area`, `active_mass`, …, `thickness`). `texts` are facts for people only.
    """

    name: str
    area: float | None = None
    active_mass: float | None = None
    theoretical_capacity: float | None = None
    nominal_capacity: float | None = None
    electrolyte_conductivity: float | None = None
    diffusion_length: float | None = None
    expected_capacity: float | None = None
    window: Limits = field(default_factory=Limits)
    separator: Separator | None = None
    uncertainties: Mapping[str, float] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a cell file; `ProtocolError` with line and column for anything wrong in it."""
        return cls._read(source.load(path))

    @classmethod
    def parse(cls, text: str | bytes, file: str = "cell") -> Self:
        """Read a cell from text; `file` is what messages call it."""
        return cls._read(source.parse(text, file))

    @property
    def capacity(self) -> float | None:
        """The capacity that C-rates refer to, in coulombs: nominal, else theoretical times mass."""
        return self.basis.capacity

    @property
    def basis(self) -> Facts:
        """The facts that units such as mA/cm2, mA/g and C need."""
        return Facts(self.area, self.active_mass, self.theoretical_capacity, self.nominal_capacity)

    def facts(self) -> Mapping[str, Any]:
        """Return the cell as plain SI data, to be kept with a run; unknown facts are left out."""
        numbers = {name: getattr(self, name) for name in (*_AMOUNTS, *_MEASURED, *_EXPECTED)}
        separator = self.separator and {"name": self.separator.name, "thickness": self.separator.thickness}
        facts = {
            "name": self.name,
            **numbers,
            "separator": separator,
            "window": _edges(self.window),
            "uncertainties": dict(self.uncertainties),
            **self.texts,
        }
        return {name: fact for name, fact in facts.items() if fact not in (None, {})}

    @classmethod
    def _read(cls, node: Node) -> Self:
        root = as_mapping(node, "a cell file, which begins with `cell: <name>`")
        problems = Problems()
        with problems.gathered():
            root.only(KEYS, "a key of a cell file")
        texts = _texts(root, problems)
        uncertainties: dict[str, float] = {}
        numbers = _amounts(root, _AMOUNTS, problems, uncertainties)
        others = {**_MEASURED, **_EXPECTED}
        measured = _amounts(root, others, problems, uncertainties, Facts(**numbers))
        separator, window = None, Limits()
        with problems.gathered():
            separator = _separator(root.take("separator"), uncertainties)
        with problems.gathered():
            if (written := root.take("window")) is not None:
                window = read_window(written, "window").limits(Values(Facts(**numbers)), "cell")
        problems.settle()
        name = texts.pop("cell")
        facts = numbers | measured
        return cls(
            name, **facts, window=window, separator=separator, uncertainties=uncertainties, texts=texts
        )


def _texts(root: MappingNode, problems: Problems) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key in ("cell", *TEXTS):
        with problems.gathered():
            found = root.need(key, "<name>") if key == "cell" else root.take(key)
            if found is not None:
                texts[key] = (as_name(found, "a name") if key == "cell" else as_scalar(found, "text")).text
    return texts


def _amounts(
    root: MappingNode,
    kinds: Mapping[str, Kind],
    problems: Problems,
    uncertainties: dict[str, float],
    known: Facts | None = None,
) -> dict[str, float]:
    """Read amounts; without `known` facts, those read before: a capacity may be per area or per mass."""
    found: dict[str, float] = {}
    for name, kind in kinds.items():
        with problems.gathered():
            if (node := root.take(name)) is not None:
                found[name] = _positive(name, node, kind, known or Facts(**found), uncertainties)
    return found


def _positive(name: str, node: Node, kind: Kind, facts: Facts, uncertainties: dict[str, float]) -> float:
    scalar = as_scalar(node, kind.wanted)
    amount = Values(facts).measured(Operand.read(scalar, kind))
    if not amount.value > 0.0:
        raise scalar.refused(f"{kind.name} above zero")
    if amount.uncertainty is not None:
        uncertainties[name] = amount.uncertainty
    return amount.value


def _separator(node: Node | None, uncertainties: dict[str, float]) -> Separator | None:
    if node is None:
        return None
    mapping = as_mapping(node, "{name: …, thickness: …}")
    mapping.only(("name", "thickness"), "a key of a separator")
    name = as_scalar(mapping.need("name", "<name>"), "the separator's name").text
    thickness = mapping.take("thickness")
    if thickness is None:
        return Separator(name)
    return Separator(name, _positive("thickness", thickness, LENGTH, Facts(), uncertainties))


def _edges(limits: Limits) -> Mapping[str, Mapping[str, float]]:
    """Return the known edges of a window as plain data: {"voltage": {"low": 1.4, "high": 3.1}, …}."""
    return {name: edges for name, _, allowed in limits.named() if (edges := _edges_of(allowed))}


def _edges_of(allowed: Range) -> Mapping[str, float]:
    edges = {"low": allowed.low, "high": allowed.high}
    return {side: bound.value for side, bound in edges.items() if bound is not None}
