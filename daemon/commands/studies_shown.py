"""What the commands show of studies: those there are, how one stands, what a draft would do."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from daemon.commands.display import console, listing
from protocols.lab import lasting

STYLES = {
    "asked": "bold yellow",
    "running": "green",
    "finished": "blue",
    "stopped": "yellow",
    "tripped": "bold red",
    "failed": "bold red",
    "refused": "bold red",
    "interrupted": "red",
}


def show_studies(studies: Sequence[Mapping[str, Any]]) -> None:
    """Print studies, a line each."""
    if not studies:
        console().print("no study has been submitted; `galvanod study FILE` submits one")
        return
    table = listing("study", "state", "measured", "waits for", "title", "by", "submitted")
    for each in studies:
        table.add_row(
            each["study"],
            each["state"],
            f"{each['over']} of {each['cells']}",
            _waits(each),
            Text(each["title"]),
            Text(each["who"]),
            _moment(each["submitted"]),
        )
    console().print(table)


def show_standing(found: Mapping[str, Any]) -> None:
    """Print how a study stands, cell by cell; what it waits for is said with what to do."""
    screen = console()
    screen.print(Text(f"{found['study']}: {found['title']}", "bold"))
    reason = f", {found['reason']}" if found["reason"] else ""
    ends = f"; it is expected to end {_moment(found['ends'])}" if found["ends"] else ""
    screen.print(f"{found['state']}{reason}; {found['over']} of {found['cells']} cells are over{ends}")
    table = listing("cell", "what", "state", "channel", "run", "reason")
    for cell in found["each"]:
        table.add_row(
            str(cell["number"]),
            Text(cell["label"]),
            Text(cell["state"], STYLES.get(cell["state"], "")),
            cell["channel"] or "–",
            cell["run"] or "–",
            Text(cell["reason"]),
        )
    screen.print(table)
    for cell in found["each"]:
        if cell["state"] == "asked":
            there = f"galvanod study {found['study']} --there {cell['number']}={cell['channel']}"
            screen.print(Text(f"put {cell['label']} on {cell['channel']}, then: {there}", "yellow"))
    if found["trouble"]:
        screen.print(Text(f"it does not get on: {found['trouble']}", "red"))


def show_draft(found: Mapping[str, Any]) -> None:
    """Print what a study would do, and from where its files are."""
    screen = console()
    screen.print(Text(found["title"], "bold"))
    table = listing("protocol", "cell", "variants", "cells", "channels", "each takes")
    for row in found["rows"]:
        table.add_row(
            row["protocol"],
            row["cell"],
            Text(", ".join(row["variants"])),
            str(len(row["variants"]) * row["replicates"]),
            ", ".join(row["channels"]),
            lasting(row["seconds"]),
        )
    screen.print(table)
    own = [
        f"{each['kind']} {each['name']} from {each['file']}" for each in found["files"] if not each["ready"]
    ]
    screen.print("\n".join(own) if own else "every file is a ready one")
    screen.print(f"{found['cells']} cells, about {lasting(found['seconds'])} on these channels")


def _waits(each: Mapping[str, Any]) -> str:
    asked = [f"{each['asks']} to be put in"] if each["asks"] else []
    wrong = [f"{each['wrong']} that went wrong"] if each["wrong"] else []
    return ", ".join([*asked, *wrong])


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
