"""LAND's export: the table of LANDdt or LANHE software as text or as a workbook."""

from collections.abc import Sequence

from daemon.imports.layout import Layout
from daemon.imports.recording import Recording, Source
from daemon.imports.table import Table
from daemon.imports.units import heading

LAYOUT = Layout(
    time=("TestTime", "test_time"),
    voltage=("Voltage",),
    current=("Current",),
    step=("Step-Index", "step_index", "Step"),
    cycle=("Cycle-Index", "cycle_index", "Cycle"),
    step_time=("StepTime", "step_time"),
    kind=("Step-State", "step_name", "State", "Mode", "WorkMode"),
    capacity=("Capacity",),
    energy=("Energy",),
    charged=("charge_capacity",),
    discharged=("discharge_capacity",),
    charged_energy=("charge_energy",),
    discharged_energy=("discharge_energy",),
    moment=("SysTime", "date_time_iso_string", "SystemTime"),
    fresh=True,
)
"""The counters begin anew with every step. The current is rounded to the last digit shown, 0.1 mA in
some exports: the counters are the truth, an integral of the current can be 13 % off."""


def is_land(titles: Sequence[str]) -> bool:
    """Whether these are the headings of a LAND export."""
    names = {heading(title).name for title in titles}
    return {"voltage", "current"} <= names and bool(
        {"testtime", "step-index"} <= names or {"test time", "step name", "date time iso string"} <= names
    )


def read(table: Table) -> Recording:
    """Read a LAND export."""
    return LAYOUT.read(table, Source("LAND export", {"maker": "LAND"}, technique="LAND test"))
