"""Months of cycling in a minute: Li-S through wire, engine, broker, recorder and database."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from daemon.bench.mosquitto import Mosquitto
from daemon.bench.processes import Usage
from daemon.bench.row import Row, Settings
from daemon.client import ask
from daemon.places import Places
from daemon.reading.results import Results
from daemon.requests import Request, Runs, Status, Submit
from daemon.sources import cell_source, protocol_source
from daemon.up import Plan, free_port, service

PROMISED = 10_000
"""Cycles at 2 C: seven months on a real cell."""

_BENCH = """bench: long run
instruments:
  cycler: {driver: neware, simulate: {cell: li_s/pp, speed: max}, channels: 1}
"""
_FILE = "li_s_high_loading_2c"
_DEADLINE = 1800.0


async def li_s_cycles(settings: Settings) -> list[Row]:
    """Cycles at 2 C on one channel of a simulated Neware; the time is scaled to all ten thousand."""
    cycles = min(PROMISED, max(100, int(20 * settings.seconds)))
    folder = settings.folder / "long"
    folder.mkdir()
    bench = folder / "bench.yaml"
    bench.write_text(_BENCH)
    url = f"mqtt://127.0.0.1:{free_port()}"
    broker = Mosquitto(url, folder / "broker.log") if settings.broker == "mosquitto" else None
    if broker is not None:
        await broker.start()
    try:
        plan = Plan(Places(folder / "state"), bench, broker=url if broker is not None else None)
        async with service(plan) as where:
            return await _cycled(where, cycles)
    finally:
        if broker is not None:
            await broker.stop()


async def _under_way(answer: Callable[[Request], Awaitable[Any]]) -> bool:
    """Whether a run is not over, or some of it not yet committed and acknowledged."""
    if any(run["state"] == "running" for run in await answer(Runs())):
        return True
    return bool((await answer(Status()))["spool"]["backlog"])


async def _cycled(where: Mapping[str, Any], cycles: int) -> list[Row]:
    async def answer(request: Request) -> Any:
        return await asyncio.to_thread(ask, Path(where["socket"]), request)

    usage = Usage({name: pid for name, pid in where["processes"].items() if name != "simulators"})
    began = time.monotonic()
    protocol, cell = protocol_source(_FILE), cell_source("li_s_pp")
    variables = {"cycles": str(cycles), "activation": "1"}
    submitted = await answer(
        Submit(protocol.text, protocol.file, cell.text, cell.file, where["channels"][0], variables)
    )
    async with asyncio.timeout(_DEADLINE):
        while await _under_way(answer):  # noqa: ASYNC110 - another process's runs
            await asyncio.sleep(0.1)
    passed = time.monotonic() - began
    cores = ", ".join(f"{name} {share:.2f}" for name, share in usage.cores().items())
    grown = usage.grown()
    results = Results.open(where["database"])
    run, counts = results.run(submitted["run"]), results.counts(submitted["run"])
    results.close()
    note = f"{cycles} cycles, {run.state}, {counts.stored} readings; cores: {cores}"
    scaled = passed * PROMISED / cycles
    return [
        Row("10 000 Li-S cycles at 2 C, wire to database", scaled, "s", 60.0, seconds=passed, note=note),
        Row("10 000 Li-S cycles: lost", counts.missing, "readings", 0.0, seconds=passed, note=note),
        *(
            Row(
                f"10 000 Li-S cycles: growth of the {name} meanwhile",
                grown[name] / 1e6,
                "MB",
                None,
                seconds=passed,
            )
            for name in ("core", "recorder")
        ),
    ]
