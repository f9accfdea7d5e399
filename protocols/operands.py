"""A value as it is written in a file, and what it comes to once variables and the cell are known."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from protocols.nodes import Scalar, shown
from protocols.quantities import Amount, Kind, read_amount
from protocols.units import Dimension

_VARIABLE = re.compile(r"\$([a-z][a-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Operand:
    """A literal amount, already read, or `$name`, to be read when the variable's value is known."""

    scalar: Scalar
    kind: Kind
    variable: str | None = None
    amount: Amount | None = None

    @classmethod
    def read(cls, scalar: Scalar, kind: Kind) -> Self:
        """Read a value; `ProtocolError` unless it is of that kind or names a variable."""
        if not scalar.text.startswith("$"):
            return cls(scalar, kind, amount=read_amount(scalar, kind))
        name = _VARIABLE.fullmatch(scalar.text)
        if name is None:
            raise scalar.refused("a variable alone, e.g. $current (small letters, digits and _)")
        return cls(scalar, kind, variable=name[1])


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a cell that units can need: square metres, kilograms, coulombs per kilogram, coulombs."""

    area: float | None = None
    active_mass: float | None = None
    theoretical_capacity: float | None = None
    nominal_capacity: float | None = None

    @property
    def capacity(self) -> float | None:
        """Coulombs in one C for one hour: the nominal capacity, else the theoretical one of the mass."""
        if self.nominal_capacity is not None:
            return self.nominal_capacity
        if self.theoretical_capacity is not None and self.active_mass is not None:
            return self.theoretical_capacity * self.active_mass
        return None


@dataclass(frozen=True, slots=True)
class Values:
    """What a protocol's values come to: for one cell and one set of variables."""

    facts: Facts = field(default_factory=Facts)
    variables: Mapping[str, str] = field(default_factory=dict)

    def with_variable(self, name: str, text: str) -> Self:
        """Return the same with one more variable."""
        return replace(self, variables={**self.variables, name: text})

    def text(self, text: str) -> str:
        """Return the text with every known `$name` in it filled in."""
        return _VARIABLE.sub(lambda found: self.variables.get(found[1], found[0]), text)

    def written(self, operand: Operand) -> Scalar:
        """Return the operand's text, its variable filled in, where the operand stands."""
        if operand.variable is None:
            return operand.scalar
        if operand.variable not in self.variables:
            raise operand.scalar.refused(
                "a variable that has a value", f"{shown(operand.scalar)} without one"
            )
        return Scalar(self.variables[operand.variable], operand.scalar.place, exact=False)

    def number(self, operand: Operand) -> float:
        """Return the value in SI: amperes, coulombs, … whatever unit it was written in."""
        return self.measured(operand).value

    def whole(self, operand: Operand) -> int:
        """Return a count."""
        return round(self.number(operand))

    def measured(self, operand: Operand) -> Amount:
        """Return the value in SI with its uncertainty, if one was given.

        `ProtocolError` where the unit needs a fact the cell file lacks, naming the fact.
        """
        scalar = self.written(operand)
        amount = operand.amount or read_amount(scalar, operand.kind)
        factor = (
            1.0 if operand.kind.dimensions == (amount.dimension,) else self._factor(amount.dimension, scalar)
        )
        spread = None if amount.uncertainty is None else amount.uncertainty * factor
        return replace(amount, value=amount.value * factor, uncertainty=spread)

    def _factor(self, dimension: Dimension, scalar: Scalar) -> float:
        """Return what the cell multiplies a number of this dimension with."""
        facts = self.facts
        match dimension:
            case Dimension.CURRENT_PER_AREA | Dimension.CAPACITY_PER_AREA:
                return _known(facts.area, scalar, "`area`")
            case Dimension.CURRENT_PER_MASS | Dimension.CAPACITY_PER_MASS:
                return _known(facts.active_mass, scalar, "`active_mass`")
            case Dimension.C_RATE:
                needed = "`nominal_capacity`, or `theoretical_capacity` and `active_mass`,"
                return _known(facts.capacity, scalar, needed) / 3600.0
        return 1.0


def _known(fact: float | None, scalar: Scalar, needed: str) -> float:
    if fact is None:
        seen = f"{scalar.text} needs {needed} in the cell file"
        raise scalar.refused(f"a cell file that has {needed.rstrip(',')}", seen)
    return fact
