"""The store: what the recorder writes."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Connection, Engine, text

from daemon.delivery.messages import Batch
from daemon.errors import DamagedError, ServiceError, UnavailableError, UnknownError
from daemon.recording.damage import rebuild
from daemon.recording.database import database_file
from daemon.recording.database_errors import safe_url, translated
from daemon.recording.database_files import Identity, check_pages, identity, was_left_open
from daemon.recording.ingest import Ending, Ingest, Memory, as_json
from daemon.recording.lineage import UNMARKED, Holdings, advanced, holdings
from daemon.recording.prepared import prepared
from daemon.recording.tables import dead_letters
from daemon.recording.tables import figures as figures_table

LETTER_BYTES = 64 * 1024
LETTERS = 10_000  # no flood of rubbish fills the disk


FIGURES_DUE = """
SELECT runs.name, runs.ended IS NOT NULL, max(steps.ordinal), runs.figured
FROM runs LEFT JOIN steps ON steps.run_id = runs.id AND steps.ended IS NOT NULL
WHERE runs.figured IS NULL OR runs.figured <> 'end'
GROUP BY runs.id, runs.name, runs.ended, runs.figured
HAVING runs.ended IS NOT NULL OR max(steps.ordinal) IS NOT NULL
"""
LETTER_AGAIN = "UPDATE dead_letters SET times = times + 1, last_seen = :now WHERE digest = :digest"


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of merit of a run, SI; `value` None where it could not be had and a warning says why."""

    name: str
    value: float | None
    unit: str
    uncertainty: float | None
    method: str
    cycle: int | None = None
    step: int | None = None
    mark: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be used, and why."""

    topic: str
    payload: bytes
    reason: str

    @property
    def digest(self) -> str:
        """The SHA-256 of topic and payload: the same letter is kept once."""
        return hashlib.sha256(self.topic.encode() + b"\x00" + self.payload).hexdigest()


class Store:
    """Writes batches and figures; to be used from one thread at a time.

    Everything raises `UnavailableError` where the database is locked, full or gone (try again),
    `DamagedError` where its file is damaged (`mend` it, then try again), and `UnstorableError`
    where the content is at fault. A file that was put in its place meanwhile is used from then on.
    """

    def __init__(self, url: str, engine: Engine) -> None:
        self.url = url
        self.mark = UNMARKED
        """The latest commit of batches."""
        self._engine = engine
        self._memory = Memory()
        self._path = database_file(url)
        self._file = self._identity()

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database, made or brought to the present schema first.

        Raises `ConfigurationError` for a URL or a later schema that cannot be used.
        """
        return cls(url, prepared(url))

    @classmethod
    def open_mended(cls, url: str) -> Self:
        """Open the database; one that is damaged is set aside and built anew first, see `rebuild`.

        Its pages are checked where whoever wrote it last did not close it.
        """
        path = database_file(url)
        file = identity(path) if path is not None else None
        try:
            if path is not None and was_left_open(path):
                check_pages(path)
            return cls.open(url)
        except DamagedError as error:
            if path is None:
                raise
            rebuild(path, file, str(error))
        return cls.open(url)

    def mend(self, error: DamagedError) -> None:
        """Set the damaged database aside and build it anew; the store goes on with the new one."""
        if self._path is None:
            return
        self._engine.dispose()
        rebuild(self._path, self._file, str(error))
        self._follow()

    def add(self, batches: Sequence[Batch]) -> list[Ending]:
        """Write the batches and the cycles they touch in one transaction; return what ended.

        Batches may come in any order and any number of times. When it returns, they are on disk.
        """
        try:
            with self._transaction() as connection:
                ingest = Ingest(connection, self._memory)
                ingest.take(batches)
                mark = advanced(connection)
            self.mark = mark
            return ingest.endings
        except ServiceError:
            self._memory.forget()  # what the failed transaction made up is not there
            raise

    def holdings(self) -> Holdings:
        """Return which commits the database holds, those of the databases it began with too."""
        with self._transaction() as connection:
            return holdings(connection)

    def set_figures(self, run: str, figures: Sequence[FigureRow], covers: Ending | None = None) -> None:
        """Replace the run's figures; raises `UnknownError` where there is no such run.

        Where another recorder has made those of a later ending than the one these cover, they stay.
        """
        with self._transaction() as connection:
            found = _figured(connection, run)
            if found is None:
                raise UnknownError(f"there is no run {run!r} in {self.url}")
            if covers is not None and _is_later(found.figured, covers.step):
                return
            connection.execute(text("DELETE FROM figures WHERE run_id = :run_id"), {"run_id": found.id})
            rows = [_figure_row(found.id, position, figure) for position, figure in enumerate(figures, 1)]
            if rows:
                connection.execute(figures_table.insert(), rows)

    def figures_due(self) -> list[Ending]:
        """Return the latest ending of every run whose figures do not cover it yet."""
        with self._transaction() as connection:
            rows = connection.execute(text(FIGURES_DUE))
            latest = [(run, None if ended else step, figured) for run, ended, step, figured in rows]
        return [Ending(run, step) for run, step, figured in latest if _cover(step) != figured]

    def mark_figured(self, ending: Ending) -> None:
        """Note that the run's figures cover that ending, unless they cover a later one."""
        with self._transaction() as connection:
            found = _figured(connection, ending.run)
            if found is not None and not _is_later(found.figured, ending.step):
                values = {"covers": _cover(ending.step), "run_id": found.id}
                connection.execute(text("UPDATE runs SET figured = :covers WHERE id = :run_id"), values)

    def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Keep messages that could not be used, each once; beyond 10 000 new ones are left out."""
        now = datetime.now(UTC).isoformat()
        with self._transaction() as connection:
            room = LETTERS - int(connection.execute(text("SELECT count(*) FROM dead_letters")).scalar() or 0)
            for letter in letters:
                again = {"digest": letter.digest, "now": now}
                if connection.execute(text(LETTER_AGAIN), again).rowcount == 0 and room > 0:
                    connection.execute(dead_letters.insert(), _letter_row(letter, now))
                    room -= 1

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Write to the file that is at the database's path, before and after."""
        self._follow()
        with translated(self.url), self._engine.begin() as connection:
            yield connection
        if self._follow():  # what was committed went aside with the old file
            raise UnavailableError(f"database {safe_url(self.url)}: another file took its place")

    def _follow(self) -> bool:
        """Let go of a file that is no longer the database; return whether that was so."""
        found = self._identity()
        if found == self._file:
            return False
        self._engine.dispose()
        self._memory.forget()
        self._file = found
        return True

    def _identity(self) -> Identity | None:
        return identity(self._path) if self._path is not None else None


def _figure_row(run_id: int, position: int, figure: FigureRow) -> dict[str, object]:
    row: dict[str, object] = {"run_id": run_id, "position": position, **asdict(figure)}
    return row | {"detail": as_json(figure.detail), "warnings": as_json(figure.warnings)}


def _letter_row(letter: DeadLetter, now: str) -> dict[str, object]:
    return {
        "digest": letter.digest,
        "topic": letter.topic,
        "reason": letter.reason,
        "size": len(letter.payload),
        "payload": letter.payload[:LETTER_BYTES],
        "times": 1,
        "first_seen": now,
        "last_seen": now,
    }


def _figured(connection: Connection, run: str) -> Any:
    """Return id and `figured` of a run, nobody else's to change until this transaction is over."""
    alone = "" if connection.dialect.name == "sqlite" else " FOR UPDATE"
    query = f"SELECT id, figured FROM runs WHERE name = :run{alone}"  # noqa: S608
    return connection.execute(text(query), {"run": run}).one_or_none()


def _is_later(figured: str | None, step: int | None) -> bool:
    """Whether figures cover a later ending than that of `step`."""
    if figured is None or step is None:
        return False
    return figured == "end" or int(figured) > step


def _cover(step: int | None) -> str:
    return "end" if step is None else str(step)
