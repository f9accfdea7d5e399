"""Arbin's text export (MITS Pro, CALCE's copies of it and the like)."""

from collections.abc import Sequence

from daemon.imports.layout import Layout
from daemon.imports.recording import Recording, Source
from daemon.imports.table import Table
from daemon.imports.units import heading

LAYOUT = Layout(
    time=("Test_Time",),
    voltage=("Voltage",),
    current=("Current",),
    step=("Step_Index",),
    cycle=("Cycle_Index",),
    step_time=("Step_Time",),
    charged=("Charge_Capacity",),
    discharged=("Discharge_Capacity",),
    charged_energy=("Charge_Energy",),
    discharged_energy=("Discharge_Energy",),
    temperature=("Aux_Temperature_1", "Temperature"),
    moment=("Date_Time", "DateTime"),
)
"""The counters go on from step to step, and begin anew with a cycle where the schedule says so."""


def is_arbin(titles: Sequence[str]) -> bool:
    """Whether these are the headings of an Arbin export."""
    names = {heading(title).name for title in titles}
    return {"test time", "step index", "cycle index", "charge capacity", "discharge capacity"} <= names


def read(table: Table) -> Recording:
    """Read an Arbin export."""
    return LAYOUT.read(table, Source("Arbin text export", {"maker": "Arbin"}, technique="Arbin test"))
