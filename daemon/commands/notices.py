"""`notices`: who is told of trips, ends and stalls, and whether it reaches them."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from daemon.commands.options import Json


def notices(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File of notices; see docs/web.md.")],
    test: Annotated[bool, typer.Option("--test", help="Send everybody in it a notice now.")] = False,
    json_: Json = False,
) -> None:
    """Read a file of notices and say who is told of what; with --test also whether it reaches them.

    Exit status 1 where somebody could not be reached.
    """
    from daemon.errors import ServiceError
    from daemon.notices.delivery import deliver
    from daemon.notices.happening import Happening, Kind
    from daemon.notices.line import Notice
    from daemon.notices.notice_file import recipients

    words = "this is a test: notices of galvanod reach you here"
    happening = Happening(Kind.TEST, time.time(), "none", None, None, None, words)
    found = []
    for each in recipients(file):
        facts: dict[str, object] = {
            "recipient": each.name,
            "on": [kind.value for kind in each.kinds],
            "channels": list(each.channels),
        }
        if test:
            try:
                deliver(each, Notice(happening), "")
                facts["reached"] = True
            except ServiceError as error:
                facts |= {"reached": False, "trouble": str(error)}
        found.append(facts)
        if not json_:
            typer.echo(_line(facts))
    if json_:
        print(json.dumps(found))
    if not all(facts.get("reached", True) for facts in found):
        raise typer.Exit(1)


def _line(facts: dict[str, object]) -> str:
    on, channels = facts["on"], facts["channels"]
    what = ", ".join(on) if isinstance(on, list) else ""
    where = ", ".join(channels) if isinstance(channels, list) and channels else "every channel"
    reached = {True: "; the test was taken", False: f"; NOT REACHED: {facts.get('trouble')}"}
    end = reached[bool(facts["reached"])] if "reached" in facts else ""
    return f"{facts['recipient']}: {what} of {where}{end}"
