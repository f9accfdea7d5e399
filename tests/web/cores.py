"""A core that says of its channels what a test wants; its control socket is the real one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from daemon.control import listening
from daemon.glance import Facts, Glance, Values
from daemon.requests import Request
from daemon.web.seen import Seen

IDLE = Facts(
    channel="",
    driver="keithley2450",
    simulated=False,
    state="idle",
    trouble=None,
    latch=None,
    run=None,
    last_run=None,
    cell=None,
    protocol=None,
    started=None,
    path=None,
    verb=None,
    setting=None,
    revision="",
    queued=0,
    patience=5.0,
)
READ = Values(read_at=1_000.0, time=1.0, voltage=2.0, current=0.1, step=1, cycle=1)
LATER = msgspec.structs.replace(READ, read_at=1_001.0, voltage=2.1)


def as_seen(facts: Facts, values: Values) -> Seen:
    """Return a channel of the core `lab` as the page has seen it."""
    return Seen("lab", facts, values, msgspec.json.encode(values))


class Core:
    """`says` what its channels are doing from now on."""

    def __init__(self, path: Path, **channels: Values) -> None:
        self.path = path
        self.glances: list[Glance] = []
        self.says("idle", **channels)

    def says(self, state: str, /, **channels: Values) -> None:
        self.glances = [
            Glance(msgspec.structs.replace(IDLE, channel=name, state=state), values)
            for name, values in channels.items()
        ]

    async def answer(self, request: Request, who: str) -> AsyncIterator[list[Glance]]:
        async def pieces() -> AsyncIterator[list[Glance]]:
            for glance in self.glances:
                yield [glance]

        return pieces()


class BusyCore(Core):
    """A core of many channels whose every reading differs each time it is asked."""

    def __init__(self, path: Path, channels: int) -> None:
        super().__init__(path)
        self._names = [f"rack{number // 64 + 1}_{number % 64 + 1}" for number in range(channels)]
        self.asked = 0

    async def answer(self, request: Request, who: str) -> AsyncIterator[list[Glance]]:
        self.asked += 1
        read = msgspec.structs.replace(READ, read_at=1_000.0 + self.asked, time=float(self.asked))
        self.says("running", **dict.fromkeys(self._names, read))
        return await super().answer(request, who)


@asynccontextmanager
async def there(*cores: Core) -> AsyncIterator[None]:
    """Let these cores answer while inside."""
    async with AsyncExitStack() as stack:
        for core in cores:
            await stack.enter_async_context(listening(core.path, core.answer))
        yield
