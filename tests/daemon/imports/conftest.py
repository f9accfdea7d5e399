"""A results database of each test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.results import Results
from daemon.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(str(tmp_path / "results.db"))
    yield store
    store.close()


@pytest.fixture
def results(store: Store) -> Iterator[Results]:
    results = Results.open(store.url)
    yield results
    results.close()
