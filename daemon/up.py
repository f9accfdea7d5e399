"""The whole service on one machine: broker, simulated instruments, recorder and core."""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.channels.bench_file import BenchFile
from daemon.host.child import Child
from daemon.host.locks import owned
from daemon.places import Places
from drivers.links.opening import address_of


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start. None for `broker` means the embedded one, for `database` SQLite beside the spool."""

    places: Places
    bench: Path
    core: str = "lab"
    broker: str | None = None
    database: str | None = None
    speed: str | None = None
    web_port: int | None = None
    """Where the page is, 0 for a free port; None for no page."""
    or_free_port: bool = False
    """Whether another port will do where that one is taken."""


@asynccontextmanager
async def service(plan: Plan) -> AsyncIterator[dict[str, Any]]:
    """Run everything while inside; yields where everything is. What dies is started again."""
    logs = plan.places.state / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    with owned(plan.places.state / "up.lock", f"the state directory {plan.places.state}"):
        async with _running(plan, logs) as where:
            yield where


@asynccontextmanager
async def _running(plan: Plan, logs: Path) -> AsyncIterator[dict[str, Any]]:
    places = plan.places
    simulated = BenchFile.load(plan.bench).simulated()
    broker_url = plan.broker or f"mqtt://127.0.0.1:{free_port()}"
    database = plan.database or places.default_database
    helpers: list[Child] = []
    if plan.broker is None:
        helpers.append(Child("broker", ["broker", "--url", broker_url, "--json"], logs / "broker.log"))
    if simulated:
        speed = ["--speed", plan.speed] if plan.speed is not None else []
        arguments = ["simulate", "--bench", str(plan.bench), *speed, "--json"]
        helpers.append(Child("simulators", arguments, logs / "simulators.log", lines=len(simulated)))
    common = ["--broker", broker_url, "--json"]
    recorder = Child("recorder", ["record", "--database", database, *common], logs / "recorder.log")
    core = Child("core", _core_arguments(plan, common), logs / "core.log")
    web = (
        None
        if plan.web_port is None
        else Child("web", _web_arguments(plan, database, broker_url), logs / "web.log")
    )
    started: list[Child] = []
    try:
        await _start_all(helpers, started)
        if simulated:
            _write_addresses(places, helpers[-1])
        await _start_all([recorder, core], started)
        where = _where(plan, broker_url, database, [core, recorder, *helpers])
        if web is not None:
            await _start_all([web], started)
            where |= {"web": web.said[0]["web"], "processes": where["processes"] | {"web": web.pid}}
        places.where.write_text(json.dumps(where, indent=1))
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(child.keep(), name=child.name) for child in started]
            try:
                yield where
            finally:
                for keeper in keepers:
                    keeper.cancel()
    finally:
        for child in sorted(started, key=_order_of_stopping):
            await child.stop()
        places.where.unlink(missing_ok=True)


def _core_arguments(plan: Plan, common: list[str]) -> list[str]:
    state = ["--state", str(plan.places.state), "--name", plan.core]
    return ["serve", "--bench", str(plan.bench), "--simulated", str(_addresses(plan.places)), *state, *common]


def _web_arguments(plan: Plan, database: str, broker_url: str) -> list[str]:
    where = ["--state", str(plan.places.state), "--database", database, "--port", str(plan.web_port)]
    if plan.or_free_port:
        where.append("--or-free-port")
    return ["web", *where, "--name", plan.core, "--broker", broker_url, "--json"]


async def _start_all(children: list[Child], started: list[Child]) -> None:
    started.extend(children)
    await asyncio.gather(*(child.start() for child in children))


def _order_of_stopping(child: Child) -> int:
    """The core, once nobody asks: it disconnects the cells. The broker last: it carries what is left."""
    return ["web", "core", "recorder", "simulators", "broker"].index(child.name)


def _addresses(places: Places) -> Path:
    return places.state / "simulated.json"


def _write_addresses(places: Places, simulators: Child) -> None:
    found = {
        channel: [address_of(said["address"]), rehearsal]
        for said in simulators.said
        for channel, rehearsal in said["channels"].items()
    }
    _addresses(places).write_text(json.dumps(found))


def _where(plan: Plan, broker_url: str, database: str, children: list[Child]) -> dict[str, Any]:
    return {
        "state": str(plan.places.state),
        "socket": str(plan.places.socket),
        "broker": broker_url,
        "database": database,
        "logs": str(plan.places.state / "logs"),
        "bench": str(plan.bench),
        "processes": {child.name: child.pid for child in children},
        "channels": children[0].said[0]["channels"],
    }


LOWEST_PORT = 10_000
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """Return a port nobody listens on now. Whoever is told to use it says so if that has changed.

    None of those the system gives to whoever connects anywhere: one of these may be taken before the
    broker is there, and again whenever it is away for a moment.
    """
    first, past = LOWEST_PORT, int(EPHEMERAL.read_text().split()[0])
    for port in random.sample(range(first, past), k=min(100, max(0, past - first))):
        if _is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
