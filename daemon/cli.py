"""`galvanod`: the command line."""

import json
import os
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from daemon.commands import (
    archiving,
    benchmark,
    checking,
    converting,
    doctoring,
    exporting,
    fitting,
    importing,
    labelling,
    notices,
    operations,
    rehearsing,
    reporting,
    running,
    safety,
    service,
    studying,
    web,
)
from protocols.errors import GalvanodError

app = typer.Typer(
    name="galvanod",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"galvanod {version('galvanod')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Cycle batteries: protocols in YAML, instruments over VISA and serial, every reading kept."""


_SERVICE, _RUNS, _PROTOCOLS = "The service", "Runs", "Protocols"
_OPERATIONS = "Operations"

app.command(rich_help_panel=_SERVICE)(service.up)
app.command(rich_help_panel=_SERVICE)(service.serve)
app.command(rich_help_panel=_SERVICE)(service.record)
app.command(rich_help_panel=_SERVICE)(web.web)
app.command(rich_help_panel=_OPERATIONS)(notices.notices)
app.add_typer(web.token, name="token", rich_help_panel=_SERVICE)
app.command(rich_help_panel=_SERVICE, hidden=True)(service.broker)
app.command(rich_help_panel=_SERVICE)(service.simulate)
app.command(rich_help_panel=_PROTOCOLS)(checking.check)
app.command(rich_help_panel=_PROTOCOLS)(rehearsing.rehearse)
app.command(rich_help_panel=_PROTOCOLS)(converting.convert)
app.command(rich_help_panel=_RUNS)(running.submit)
app.command(rich_help_panel=_RUNS)(running.queue)
app.command(rich_help_panel=_RUNS)(running.runs)
app.command(rich_help_panel=_RUNS)(running.show)
app.command(rich_help_panel=_RUNS)(running.watch)
app.command(rich_help_panel=_RUNS)(running.pause)
app.command(rich_help_panel=_RUNS)(running.resume)
app.command(rich_help_panel=_RUNS)(running.stop)
app.command(rich_help_panel=_RUNS)(running.clear)
app.command(rich_help_panel=_RUNS)(labelling.label)
app.command(rich_help_panel=_RUNS)(exporting.export)
app.command(rich_help_panel=_RUNS)(archiving.archive)
app.command(name="import", rich_help_panel=_RUNS)(importing.import_)
app.command(rich_help_panel=_RUNS)(reporting.report)
app.command(rich_help_panel=_RUNS)(fitting.fit)
app.command(rich_help_panel=_RUNS)(safety.safe)
app.command(rich_help_panel=_PROTOCOLS)(studying.study)
app.command(rich_help_panel=_PROTOCOLS)(studying.studies)
app.command(rich_help_panel=_PROTOCOLS)(studying.demo)
app.command(rich_help_panel=_OPERATIONS)(doctoring.doctor)
app.command(rich_help_panel=_OPERATIONS)(doctoring.replay)
app.command(rich_help_panel=_OPERATIONS)(operations.install)
app.command(rich_help_panel=_OPERATIONS)(operations.backup)
app.command(rich_help_panel=_OPERATIONS)(operations.restore)
app.command(rich_help_panel=_OPERATIONS)(benchmark.bench)


def main() -> NoReturn:
    """Run the command line; every error a user can cause ends in a sentence and a sysexits status."""
    try:
        sys.exit(_status())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # whoever read our output has gone; Python would complain once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        if os.environ.get("GALVANOD_TRACEBACK"):
            raise
        print(
            f"galvanod: {type(error).__name__}: {error}\nThis is a fault of galvanod itself. "
            "With GALVANOD_TRACEBACK=1 set, the same command shows where.",
            file=sys.stderr,
        )
        sys.exit(70)


def _status() -> int:
    """Run the command that was named and return its exit status."""
    try:
        app()
    except GalvanodError as error:
        _explain(error)
        return error.exit_status
    return 0


def _explain(error: GalvanodError) -> None:
    if "--json" in sys.argv[1:]:
        from daemon.control import trouble

        found = getattr(error, "trouble", None) or trouble(error)
        import msgspec

        print(json.dumps({"error": msgspec.to_builtins(found)}))
        return
    from daemon.commands.display import show_error

    show_error(error)


if __name__ == "__main__":
    main()
