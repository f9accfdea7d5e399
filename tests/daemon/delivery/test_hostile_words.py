"""Words that are commands elsewhere are only words here; secrets are in no log."""

import asyncio
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from daemon.delivery.outbox import Outbox
from daemon.delivery.publisher import Publisher
from daemon.delivery.spool import Spool
from daemon.reading.results import Results
from daemon.recording.database_errors import safe_url
from daemon.recording.recorder import Recorder
from daemon.recording.store import DeadLetter, FigureRow, Store
from tests.daemon.deliveries import batched, free_port, whole_run

HOSTILE = (
    "'; DROP TABLE readings; --",
    '" OR ""="',
    "x') UNION SELECT name, sql FROM sqlite_master --",
    "1; UPDATE runs SET state = 'finished'",
    "%s %(run)s :run ? $1 {run}",
    "Robert'); DELETE FROM runs WHERE ('a'='a",
    "\\'; VACUUM; --",
    "NULL",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_runs_cells_and_figures_are_only_stored(name: str, tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    store = Store.open(str(path))
    store.add(batched([*whole_run("honest"), *whole_run(name, cell=name)]))
    store.set_figures(name, [FigureRow(name, 1.0, name, None, name, mark=name, detail={name: name})])
    store.bury([DeadLetter(name, name.encode(), name)])
    store.close()
    results = Results.open(str(path))
    assert sorted(run.name for run in results.runs()) == sorted(["honest", name])
    assert results.run(name).cell == name
    assert results.run(name).state == "finished"
    assert len(results.readings(name)) == len(results.readings("honest")) == 40
    assert [figure.name for figure in results.figures(name)] == [name]
    results.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


SECRET = "correct-horse-battery"


class Said(logging.Handler):
    """Hears of trouble; `all` is set once each of these modules has said something of it."""

    def __init__(self, *modules: str) -> None:
        super().__init__(logging.WARNING)
        self.missing = set(modules)
        self.all = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.missing.discard(record.name)
        if not self.missing:
            self.all.set()


async def test_no_password_is_in_a_log_or_an_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"mqtt://core:{SECRET}@127.0.0.1:{free_port()}"
    outbox = Outbox(Spool.open(tmp_path / "spool.db"), "lab")
    publisher = Publisher(outbox, url)
    recorder = Recorder(url, str(tmp_path / "results.db"))
    said = Said(Publisher.__module__, Recorder.__module__)
    logging.getLogger().addHandler(said)
    tasks = {asyncio.create_task(publisher.run()), asyncio.create_task(recorder.run())}
    try:
        async with asyncio.timeout(30.0):
            await said.all.wait()
    finally:
        logging.getLogger().removeHandler(said)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await outbox.aclose()
    assert caplog.text.count("does not answer") == 2
    assert SECRET not in caplog.text
    assert SECRET not in str(publisher.url)
    assert SECRET not in safe_url(f"postgresql+psycopg://galvanod:{SECRET}@db/results")
