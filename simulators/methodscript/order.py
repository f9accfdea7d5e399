"""What a measurement loop was asked for, once its arguments have values."""

from dataclasses import dataclass

from simulators.methodscript.machine import Machine


@dataclass(frozen=True, slots=True)
class Extra:
    """One more quantity to measure at every point, and the variable it goes to: `add_meas(...)`."""

    vartype: str
    slot: int

    def take(self, machine: Machine) -> None:
        machine.values[self.slot], machine.metadata[self.slot] = machine.potentiostat.read(self.vartype)


@dataclass(frozen=True, slots=True)
class Order:
    """The variables that take the results, the arguments in SI, and the optional arguments."""

    outputs: tuple[int, ...]
    arguments: tuple[float, ...]
    extras: tuple[Extra, ...] = ()
    scans: int = 1

    def mark(self, machine: Machine, *vartypes: str) -> None:
        """Say what the outputs are from now on."""
        for slot, vartype in zip(self.outputs, vartypes, strict=True):
            machine.types[slot] = vartype
            machine.metadata[slot] = ""
        for extra in self.extras:
            machine.types[extra.slot] = extra.vartype
