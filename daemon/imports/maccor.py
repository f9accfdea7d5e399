"""Maccor's text export: a few lines of facts, then one table with the state in a letter."""

from collections.abc import Mapping, Sequence

from daemon.imports.layout import Layout
from daemon.imports.recording import Recording, Source
from daemon.imports.table import Table, moment
from daemon.imports.text import TextFile
from daemon.imports.units import heading

LAYOUT = Layout(
    time=("TestTime", "Test Time", "Test", "Test (Sec)"),
    voltage=("Volts", "Voltage"),
    current=("Amps", "Current"),
    step=("Step",),
    cycle=("Cyc#", "Cycle C", "Cycle"),
    step_time=("StepTime", "Step Time", "Step (Sec)"),
    kind=("State", "Md"),
    capacity=("Amp-hr", "Cap", "Capacity"),
    energy=("Watt-hr", "Ener", "Energy"),
    temperature=("Temp 1",),
    moment=("DPt Time", "DPT Time", "DPt-Time"),
)
"""`Amps` has no sign: the state C, D or R tells. `Amp-hr` counts from the start of the step."""

_FACTS = ("Date of Test", "Filename", "Tester Channel", "Procedure", "Comment/Barcode", "Description")


def is_maccor(titles: Sequence[str]) -> bool:
    """Whether these are the headings of a Maccor export."""
    names = {heading(title).name for title in titles}
    return bool({"rec#", "rec"} & names) and bool({"state", "md"} & names) and "step" in names


def read(table: Table, text: TextFile) -> Recording:
    """Read a Maccor export."""
    facts = _facts(text)
    said = {name: facts[name] for name in _FACTS if facts.get(name)}
    source = Source(
        "Maccor text export",
        {"maker": "Maccor"},
        technique=facts.get("Procedure", "") or "Maccor test",
        channel=facts.get("Tester Channel", ""),
        began=moment(facts.get("Date of Test", "")),
        said=said,
    )
    return LAYOUT.read(table, source).with_cycles_from_one()


def _facts(text: TextFile) -> Mapping[str, str]:
    """Return what stands above the table: `Name:` and, in the next cell or after the colon, its text."""
    found: dict[str, str] = {}
    for line in text.lines(12):
        cells = [cell.strip() for cell in line.split("\t")]
        for name, value in zip(cells, [*cells[1:], ""], strict=True):
            if name.endswith(":"):
                found[name[:-1]] = value
    return found
