"""Figures are made beside recording, and take no more of the processor the longer a run becomes."""

import asyncio
from pathlib import Path

from daemon.recording.figure_maker import RESTS, FigureMaker
from daemon.recording.ingest import Ending
from daemon.recording.store import Store
from tests.daemon.deliveries import batched, whole_run


class Making:
    """Counts what is made; making the figures of a run of n steps takes n seconds of its own clock."""

    def __init__(self) -> None:
        self.time = 0.0
        self.made: list[tuple[str, int | None]] = []
        self.again = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, store: Store, run: str, step: int | None) -> None:
        self.made.append((run, step))
        self.time += step or 1.0
        self._loop.call_soon_threadsafe(self.again.set)

    async def once_more(self) -> None:
        async with asyncio.timeout(60):
            await self.again.wait()
        self.again.clear()


async def test_a_run_rests_ten_times_as_long_as_its_figures_took_but_not_at_its_end(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "results.db"))
    store.add(batched(whole_run("one")))
    store.mark_figured(Ending("one", None))
    store.close()
    making = Making()
    maker = FigureMaker(store.url, making, now=lambda: making.time)
    task = asyncio.create_task(maker.run())
    maker.wake([Ending("one", 100)])
    await making.once_more()  # took 100 s of its clock: rests until 1100 s
    maker.wake([Ending("one", 101), Ending("two", 1)])
    await making.once_more()
    assert making.made == [("one", 100), ("two", 1)]
    making.time = 100.0 * (1 + RESTS) + 1
    maker.wake([Ending("one", 102)])
    await making.once_more()
    maker.wake([Ending("one", None)])
    await making.once_more()
    assert making.made[2:] == [("one", 102), ("one", None)]
    task.cancel()
    await asyncio.wait({task})
