"""What docs/data.md shows of a notebook is what happens."""

import doctest
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from daemon.imports.importing import import_file
from daemon.recording.archive import archive
from daemon.recording.store import Store
from galvanod import Columns, UnavailableError, UnknownError, open_lab
from tests.daemon.deliveries import batched, whole_run
from tests.daemon.imports.files import DATA

PAGE = Path(__file__).parents[3] / "docs" / "data.md"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(str(tmp_path / "results.db"))
    yield store
    store.close()


def test_the_page_is_true(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("polars")
    import_file(store, DATA / "neware_layers.csv")
    monkeypatch.chdir(tmp_path)
    parser = doctest.DocTestParser()
    test = parser.get_doctest(PAGE.read_text().replace("```", ""), {}, PAGE.name, str(PAGE), 0)
    told: list[str] = []
    found = doctest.DocTestRunner().run(test, out=told.append)
    assert found.attempted > 10
    assert not found.failed, "".join(told)


def test_columns_have_one_kind_each_and_nan_for_nothing(store: Store) -> None:
    store.add(batched(whole_run("one")))
    with open_lab(store.url) as lab:
        run = lab.run("one")
        readings, steps = run.readings(step=2), run.steps()
    assert readings["number"].tolist() == list(range(11, 21))
    assert readings["number"].dtype == np.int64
    assert readings["voltage"].dtype == np.float64
    assert np.isnan(steps["start_voltage"]).all()
    assert steps["verb"].tolist() == ["discharge", "charge", "discharge", "charge"]
    assert run.cell == {"active_mass": 1.7e-6}
    assert Columns.of(("a", "b"), []).rows == 0


def test_a_state_directory_and_an_archived_run_are_read_too(store: Store, tmp_path: Path) -> None:
    store.add(batched(whole_run("one")))
    before = open_lab(tmp_path).run("one").readings()
    archive(store.url, "one")
    assert open_lab(tmp_path).run("one").readings().pandas().equals(before.pandas())


def test_what_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"no results database at .*nowhere\.db"):
        open_lab(tmp_path / "nowhere.db")
    with open_lab(store.url) as lab, pytest.raises(UnknownError, match="no run 'x' has been recorded"):
        lab.run("x")
