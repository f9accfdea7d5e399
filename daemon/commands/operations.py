"""`install`, `backup`, `restore`: what whoever looks after the machine does."""

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from daemon.commands.options import Database, Json, State, database_of

NEXT = """\
  apt install mosquitto                  if it is not there
  systemd-sysusers && systemd-tmpfiles --create
  udevadm control --reload && udevadm trigger
  editor /etc/galvanod/bench.yaml        your instruments
  systemctl daemon-reload
  systemctl restart mosquitto
  systemctl enable --now galvanod.target
A core that runs is not touched; docs/operations.md says how to bring it to a new version."""

BackupFile = Annotated[
    Path, typer.Argument(metavar="BACKUP", help="A backup, or a folder of them: the newest is meant.")
]


def install(
    prefix: Annotated[
        Path, typer.Option(help="Put everything below this directory: for an image or a package.")
    ] = Path("/"),
    command: Annotated[
        Path | None, typer.Option(help="The galvanod the services run; by default this one.")
    ] = None,
    lan: Annotated[
        list[str] | None,
        typer.Option(help="Network of instruments, e.g. 192.168.1.0/24; may be repeated. By default, none."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    json_: Json = False,
) -> None:
    """Put units, rules and a configuration to begin with in place; say every file and what to do next.

    Doing it again, e.g. after an upgrade, replaces what nobody changed and puts new versions of
    what somebody changed beside it, named .new. Nothing is started, stopped or restarted.
    """
    from daemon.host.installation import Installation

    installation = Installation(prefix.absolute(), command or this_command(), tuple(lan or ()))
    installation.check()
    placed = installation.place(dry=dry_run)
    if json_:
        print(json.dumps([{"path": str(p.path), "outcome": p.outcome.value} for p in placed]))
        return
    for one in placed:
        typer.echo(f"{one.outcome.value:9}{one.path}")
    typer.echo("\nNothing was written." if dry_run else f"\nNext:\n{next_steps(installation.prefix)}")


def next_steps(prefix: Path) -> str:
    """Return what remains to be done by a person."""
    if prefix != Path("/"):
        return f"  copy what is below {prefix} to the machine's /, keeping modes; then, there:\n{NEXT}"
    return NEXT


def backup(
    state: State,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write, or folder to put a dated file in.")
    ],
    database: Database = None,
    keep: Annotated[
        str | None,
        typer.Option(help="Then remove from the folder all but one per day/week/month, e.g. 7/4/12."),
    ] = None,
    json_: Json = False,
) -> None:
    """Copy the results database while it is written; the copy is checked before it gets its name."""
    from daemon.recording.backup import Keep, back_up, rotate

    policy = Keep.parse(keep) if keep is not None else None
    if policy is not None and not output.is_dir():
        raise typer.BadParameter(f"--keep is for a folder; {output} is none")
    made = back_up(database_of(state, database), output)
    removed = rotate(output, policy) if policy is not None else []
    if json_:
        facts = {"backup": str(made), "bytes": made.stat().st_size, "removed": [str(p) for p in removed]}
        print(json.dumps(facts))
        return
    typer.echo(f"{made} ({made.stat().st_size / 1e6:.1f} MB)")
    for path in removed:
        typer.echo(f"removed {path}")


def restore(
    backup_: BackupFile,
    state: State,
    database: Database = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only prove that it can be restored; touch no database.")
    ] = False,
    json_: Json = False,
) -> None:
    """Put a backup in the place of the results database, which is kept beside it.

    What was recorded after the backup is in the database that went aside.
    """
    from daemon.recording import backup as backups

    chosen = backups.chosen(backup_)
    aside: Path | None = None
    if check:
        found = backups.check(chosen)
    else:
        found, aside = backups.restore(chosen, database_of(state, database))
    if json_:
        facts = {"backup": str(found.backup), "bytes": found.size, "runs": found.runs}
        facts |= {"readings": found.readings, "latest": found.latest}
        print(json.dumps(facts | {"aside": str(aside) if aside else None}))
        return
    latest = f", the latest begun {found.latest}" if found.latest else ""
    runs = "1 run" if found.runs == 1 else f"{found.runs} runs"
    typer.echo(f"{found.backup} is good: {found.readings} readings in {runs}{latest}")
    if not check:
        typer.echo(f"restored; what was there is now {aside}" if aside else "restored")


def this_command() -> Path:
    """Return the full path of the galvanod that is running."""
    beside = Path(sys.executable).with_name("galvanod")
    return beside if beside.exists() else Path(shutil.which("galvanod") or "galvanod")
