"""`up`, `serve`, `record`, `broker`, `simulate`: the processes of the service."""

import contextlib
import json
import math
import os
import re
import sys
from dataclasses import asdict
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.commands.options import Broker, CoreName, Database, Json, State
from daemon.errors import UnknownError
from daemon.places import Places

if TYPE_CHECKING:
    from daemon.channels.bench_file import ChannelEntry, InstrumentEntry

# What a command needs is imported when it runs: `galvanod submit` must not wait for the core's parts.

SWITCH_INTERVAL = 0.001
"""Seconds a thread that computes may keep the control loop waiting; Python's own is five times that."""

DEFAULT_BROKER = "mqtt://127.0.0.1:1883"


def built_in_bench() -> Path:
    """The bench file that simulates every instrument."""
    return Path(str(files("daemon") / "simulated.yaml"))


def up(
    state: State,
    bench: Annotated[
        Path | None, typer.Option(help="Bench file; by default every instrument is simulated.")
    ] = None,
    speed: Annotated[
        str | None,
        typer.Option(help="Simulated seconds per second for every simulated instrument, or max."),
    ] = None,
    broker: Broker = None,
    database: Database = None,
    name: CoreName = "lab",
    web_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port of the page, 0 for a free one; by default 8720, a free one if taken."
        ),
    ] = None,
    no_web: Annotated[bool, typer.Option("--no-web", help="Without the page.")] = False,
    json_: Json = False,
) -> None:
    """Run the whole service on this machine: broker, recorder, core, page, and simulated instruments.

    Stays in the foreground; Ctrl-C disconnects every cell and stops everything in order. What
    dies meanwhile is started again. Each part is also a command of its own, for systemd. The link
    it prints opens the page; the token in it is for this start only.
    """
    from daemon.commands.display import show_where
    from daemon.errors import UnknownError
    from daemon.host.lifetime import say, told_to_stop, until_told
    from daemon.up import Plan, service
    from daemon.web.settings import DEFAULT_PORT
    from daemon.web.tokens import Scope, Tokens

    places = Places(state.absolute())
    usual = web_port is None
    port = None if no_web else DEFAULT_PORT if web_port is None else web_port
    plan = Plan(places, bench or built_in_bench(), name, broker, database, speed, port, or_free_port=usual)

    async def run() -> None:
        stopped = told_to_stop()
        async with service(plan) as where:
            if port is not None:
                secret = Tokens.of(places.tokens).renewed("up", Scope.ADMIN)
                where |= {"web": f"{where['web']}#token={secret}"}
            say(where) if json_ else show_where(where)
            await stopped.wait()
        if port is not None:  # it was for this time only
            with contextlib.suppress(UnknownError):
                Tokens.of(places.tokens).revoke("up")

    until_told(run())


def serve(
    state: State,
    bench: Annotated[Path | None, typer.Option(help="Bench file.")] = None,
    simulated: Annotated[
        Path | None, typer.Option(help="JSON file with the addresses of simulated instruments.", hidden=True)
    ] = None,
    broker: Broker = None,
    name: CoreName = "lab",
    any_clock: Annotated[
        bool, typer.Option("--any-clock", help="Let runs begin although the clock is plainly wrong.")
    ] = False,
    keep_hours: Annotated[
        float,
        typer.Option(min=0.0, help="Hours of recorded readings kept until a backup has them."),
    ] = 72.0,
    json_: Json = False,
) -> None:
    """Run the core: the process that touches instruments.

    It waits for them and the clock, nothing else: broker, recorder and database may be away.
    """
    from daemon.channels.bench_file import BenchFile
    from daemon.core import Address, Core
    from daemon.host.lifetime import say, told_to_stop, until_told

    found = json.loads(simulated.read_text()) if simulated is not None else {}
    addresses = {key: Address(*value) for key, value in found.items()}
    places = Places(state.absolute())
    bench_file = BenchFile.load(bench or built_in_bench())
    core = Core(
        places,
        name,
        broker or DEFAULT_BROKER,
        bench_file,
        addresses,
        any_clock=any_clock,
        keep_hours=keep_hours,
    )

    def ready() -> None:
        facts = {
            "core": name,
            "socket": str(places.socket),
            "channels": [c.name for c in bench_file.channels()],
        }
        say(facts) if json_ else typer.echo(f"core {name} is ready at {places.socket}")

    async def run() -> None:
        await core.serve(ready, told_to_stop())

    sys.setswitchinterval(SWITCH_INTERVAL)
    until_told(run())


def record(
    state: State,
    broker: Broker = None,
    database: Database = None,
    name: Annotated[
        str, typer.Option(help="What this recorder is called; no two of one broker alike.")
    ] = "recorder",
    share: Annotated[
        str | None,
        typer.Option(
            metavar="GROUP", help="Share the work with the other recorders of this group; needs mosquitto."
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Run the recorder: from MQTT into the results database, acknowledging what is committed."""
    from daemon.host.lifetime import say, stay_prompt, until_stopped, until_told
    from daemon.recording.figuring import make_figures
    from daemon.recording.recorder import Recorder

    url = database or Places(state.absolute()).default_database
    state.mkdir(parents=True, exist_ok=True)
    _check_group(share)
    recorder = Recorder(broker or DEFAULT_BROKER, url, name, make_figures, share=share)

    def ready() -> None:
        stay_prompt()  # figures and overviews are computed beside it
        say({"recorder": name, "database": url}) if json_ else typer.echo(f"recording into {url}")

    until_told(until_stopped(recorder.run(ready)))


def _check_group(share: str | None) -> None:
    """Refuse what would be another topic."""
    if share is not None and not re.fullmatch(r"[\w.-]{1,64}", share, re.ASCII):
        raise typer.BadParameter(f"--share {share!r}: wanted up to 64 letters, digits, '.', '-' and '_'")


def broker(
    url: Annotated[str, typer.Option(help="Where to listen; loopback only.")] = DEFAULT_BROKER,
    json_: Json = False,
) -> None:
    """Run the embedded MQTT broker: nothing durable is asked of it, so it keeps nothing."""
    from daemon.delivery.broker import serve_broker
    from daemon.delivery.connection import BrokerAddress
    from daemon.host.lifetime import say, until_stopped, until_told

    address = BrokerAddress.parse(url)
    if address.port is None:
        raise typer.BadParameter(f"{url!r}: the embedded broker listens on mqtt://127.0.0.1:port")

    def ready() -> None:
        say({"broker": url}) if json_ else typer.echo(f"broker at {url}")

    until_told(until_stopped(serve_broker(address.host, address.port, ready)))


def simulate(
    instrument: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Which instrument, e.g. keithley2450 or emstat4.")
    ] = None,
    cell: Annotated[
        str, typer.Option(help="The cell between its terminals, e.g. li_cu/ti087o2.")
    ] = "li_cu/pp",
    speed: Annotated[str, typer.Option(help="Simulated seconds per second, or max.")] = "1",
    seed: Annotated[
        int, typer.Option(min=0, help="Of its noise and of what varies from cycle to cycle.")
    ] = 0,
    channels: Annotated[
        int | None, typer.Option(min=1, max=1024, help="How many cells, for an instrument that has many.")
    ] = None,
    bench: Annotated[
        Path | None, typer.Option(help="Serve every simulated instrument of this bench file instead.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help='What goes wrong, in simulated time: "mute after 30 s for 5 s". May be repeated.'),
    ] = None,
    wire: Annotated[
        str | None,
        typer.Option(help="socket, serial, hislip or vxi11, for an instrument that has more than one wire."),
    ] = None,
    json_: Json = False,
) -> None:
    """Serve a simulated instrument with a simulated cell, on its real wire, until Ctrl-C.

    A fault is KIND [by AMOUNT] [after TIME] [for TIME] [COUNT times]; an unknown kind is answered
    with those there are. The first line is JSON and says its address: a PyVISA resource string or
    a device path. Any client of the real instrument can use it.
    """
    from daemon.channels.bench_file import BenchFile, simulated_alone
    from daemon.channels.simulation_file import Simulation
    from daemon.host.lifetime import told_to_stop, until_told

    if bench is not None and fault:
        raise typer.BadParameter("--fault goes with an instrument; in a bench file, write `faults:`")
    if bench is not None:
        wanted = BenchFile.load(bench).simulated()
        faster = _speed(speed) if speed != "1" else None
    elif instrument is not None:
        faults = tuple(fault or ())
        wanted = [simulated_alone(instrument, Simulation(cell, _speed(speed), seed, faults, wire), channels)]
        faster = None
    else:
        raise typer.BadParameter("name an instrument, or a bench file with --bench")

    async def run() -> None:
        stopped = told_to_stop()
        async with contextlib.AsyncExitStack() as stack:
            for entry in wanted:
                served = await _served(stack, entry, faster)
                _tell(entry, served, json_)
            await stopped.wait()

    until_told(run())


async def _served(stack: contextlib.AsyncExitStack, entry: "InstrumentEntry", faster: float | None) -> Any:
    """Serve one until `stack` ends. Raises `UnknownError` for a cell or a fault there is not."""
    simulator, whole = _simulator(entry.driver), entry.simulation
    if whole is None:
        raise UnknownError(f"instrument {entry.name} is not simulated")
    facts: dict[str, Any] = {"cell": whole.cell, "seed": whole.seed, "faults": whole.faults}
    if simulator.many_channels:
        facts["bays"] = [_bay(channel) for channel in entry.channels]
    elif len(entry.channels) > 1:
        raise UnknownError(
            f"simulated instrument {entry.name}: a {entry.driver} has one channel, not {len(entry.channels)}"
        )
    if whole.wire is not None:
        if simulator.many_channels:
            raise UnknownError(f"simulated instrument {entry.name}: a {entry.driver} has one wire")
        facts["wire"] = whole.wire
    try:
        return await stack.enter_async_context(simulator.serve(speed=faster or whole.speed, **facts))
    except ValueError as error:
        raise UnknownError(f"simulated instrument {entry.name}: {error}") from error


def _bay(channel: "ChannelEntry") -> dict[str, Any]:
    """Return what the simulator is to put at one place; the instrument's own faults are not its."""
    simulation = channel.simulation
    if simulation is None:
        return {"place": channel.place}
    return {
        "place": channel.place,
        "cell": simulation.cell,
        "seed": simulation.seed,
        "faults": simulation.faults,
    }


def _simulator(name: str) -> Any:
    """Find a simulated instrument by entry point: the product never imports its own test bench."""
    found = {point.name: point for point in entry_points(group="galvanod.simulators")}
    if name not in found:
        raise UnknownError(f"there is no simulated {name!r}; there are {', '.join(sorted(found))}")
    return found[name].load()


def _tell(entry: "InstrumentEntry", served: Any, json_: bool) -> None:
    """Print the line of JSON that scripts read first; in words, for people, on standard error."""
    from daemon.host.lifetime import say

    speed = served.speed if math.isfinite(served.speed) else "max"
    rehearsals = [bay.rehearsal for bay in served.bays] or [served.rehearsal]
    channels = {c.name: where for c, where in zip(entry.channels, rehearsals, strict=True)}
    say({"name": entry.name, "channels": channels} | asdict(served) | {"speed": speed, "pid": os.getpid()})
    if not json_:
        what = f"{len(channels)} cells, the first {served.cell}" if served.bays else f"a {served.cell} cell"
        where = f"{served.instrument} with {what} at {served.address}, speed {speed}"
        typer.echo(f"{where}; Ctrl-C ends it", err=True)


def _speed(text: str) -> float:
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = math.nan
    if not speed > 0:
        raise typer.BadParameter(f"{text!r} is not a number above 0, nor max")
    return speed
