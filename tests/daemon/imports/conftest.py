"""A results database of each test's own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.reading.results import Results
from daemon.recording.store import Store


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results database with nothing in it, made once."""
    path = tmp_path_factory.mktemp("empty") / "results.db"
    Store.open(str(path)).close()
    return path


@pytest.fixture
def store(tmp_path: Path, empty: Path) -> Iterator[Store]:
    shutil.copy(empty, tmp_path / "results.db")
    store = Store.open(str(tmp_path / "results.db"))
    yield store
    store.close()


@pytest.fixture
def results(store: Store) -> Iterator[Results]:
    results = Results.open(store.url)
    yield results
    results.close()
