"""Whether the service is well: for a supervisor, a proxy, and Prometheus."""

import time
from collections.abc import Iterator

from fastapi import APIRouter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from daemon.web.answers import PROBLEM
from daemon.web.documents import Health, Readiness
from daemon.web.live import Live
from daemon.web.runs import database_of
from daemon.web.streaming import live_of
from daemon.web.tally import Tally
from daemon.web.visitor import Viewer

router = APIRouter(tags=["health"])

STATES = (
    "idle",
    "running",
    "paused",
    "interrupted",
    "finished",
    "stopped",
    "tripped",
    "failed",
    "unreachable",
)


@router.get("/healthz", response_model=Health)
async def healthz() -> Health:
    """Answer while the process lives; says nothing else, so needs no token."""
    return Health(status="ok")


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
async def readyz(request: Request) -> Response:
    """Say whether every core and the database answer."""
    trouble = {
        f"core {state.core}": "does not answer"
        for state in live_of(request).cores.values()
        if state.trouble is not None
    }
    if not await database_of(request).answers():
        trouble["database"] = "does not answer"
    ready = Readiness(ready=not trouble, trouble=trouble)
    return JSONResponse(ready.model_dump(), 200 if ready.ready else 503)


@router.get("/metrics", response_class=PlainTextResponse, responses=PROBLEM)
async def metrics(request: Request, visitor: Viewer) -> Response:
    """Everything Prometheus should know; a token with the scope `view` goes into its `authorization`."""
    registry = CollectorRegistry()
    registry.register(_Bench(live_of(request), request.app.state.tally))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_1_0_0)


class _Bench(Collector):
    """The channels as metrics: base units, and no cell or run as a label, of which there is no end."""

    def __init__(self, live: Live, tally: Tally) -> None:
        self._live, self._tally = live, tally

    def collect(self) -> Iterator[Metric]:
        names = ("core", "channel")
        state = GaugeMetricFamily(
            "galvanod_channel_state", "1 for the state it is in", labels=(*names, "state")
        )
        latched = GaugeMetricFamily(
            "galvanod_channel_latched", "1 where a limit opened its circuit", labels=names
        )
        age = GaugeMetricFamily("galvanod_reading_age_seconds", "since the last reading", labels=names)
        volts = GaugeMetricFamily("galvanod_channel_voltage_volts", "last reading", labels=names)
        amperes = GaugeMetricFamily(
            "galvanod_channel_current_amperes", "last reading, positive on charge", labels=names
        )
        celsius = GaugeMetricFamily("galvanod_channel_temperature_celsius", "last reading", labels=names)
        for seen in self._live.channels.values():
            labels = (seen.core, seen.facts.channel)
            for each in STATES:
                state.add_metric((*labels, each), float(seen.facts.state == each))
            latched.add_metric(labels, float(seen.facts.latch is not None))
            running = seen.facts.state == "running"
            if running and seen.values.read_at is not None:
                age.add_metric(labels, max(0.0, time.time() - seen.values.read_at))
            for family, value in (
                (volts, seen.values.voltage),
                (amperes, seen.values.current),
                (celsius, seen.values.temperature),
            ):
                if running and value is not None:
                    family.add_metric(labels, value)
        up = GaugeMetricFamily("galvanod_core_up", "1 where the core answers", labels=("core",))
        for core in self._live.cores.values():
            up.add_metric((core.core,), float(core.trouble is None))
        watchers = GaugeMetricFamily(
            "galvanod_web_watchers", "who follows the live stream", self._live.watchers
        )
        ends = CounterMetricFamily(
            "galvanod_runs_ended", "runs seen to end since this process began", labels=("core", "state")
        )
        for (core_name, how), number in self._tally.ends.items():
            ends.add_metric((core_name, how), number)
        yield from (state, latched, age, volts, amperes, celsius, up, watchers, ends)
