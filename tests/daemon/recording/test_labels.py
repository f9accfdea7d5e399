"""Labels that are changed: the latest change holds, in whatever order they come, and all are kept."""

import itertools
import sqlite3
from pathlib import Path

import msgspec
import pytest

from daemon.delivery.messages import Batch, Item, Noted
from daemon.errors import ServiceError
from daemon.reading.results import Results
from daemon.recording.labels import KIND, Change, checked, remark
from daemon.recording.store import Store
from tests.daemon.deliveries import run_started

BORN = {"operator": "Ada"}
FIRST, SECOND = {"operator": "Grace", "batch": "7"}, {"operator": "Grace"}
STARTED = msgspec.structs.replace(run_started("one"), labels=BORN)
CHANGES = (
    remark("one", 5.0, Change.after(["paused"], BORN, FIRST), "anna", 1_000.0),
    remark("one", 5.0, Change.after(["paused", KIND], FIRST, SECOND), "otto", 900.0),  # by a clock set back
)


def labels_after(folder: Path, *items: Item) -> dict[str, str]:
    """Record each by itself, and then all of them once more; return the run's labels."""
    url = f"sqlite:///{folder / 'results.db'}"
    store = Store.open(url)
    for sequence, item in enumerate((*items, *items), start=1):
        store.add([Batch("page", 1, sequence, "notes", [item])])
    store.close()
    results = Results.open(url)
    try:
        return dict(results.run("one").labels)
    finally:
        results.close()


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_the_latest_change_holds_in_whatever_order_they_come(tmp_path: Path, order: tuple[int, ...]) -> None:
    items: tuple[Item, ...] = (STARTED, *CHANGES)
    assert labels_after(tmp_path, *(items[place] for place in order)) == SECOND
    with sqlite3.connect(tmp_path / "results.db") as database:
        texts = {text for (text,) in database.execute("SELECT text FROM events")}
    database.close()
    assert texts == {"anna: batch is 7; operator is Grace, was Ada", "otto: no batch, was 7"}


@pytest.mark.parametrize("labels", [None, [], "x", {"operator": 1}, {"a": None}])
def test_what_cannot_be_labels_changes_none(tmp_path: Path, labels: object) -> None:
    odd = Noted("one", -70_000, 5.0, KIND, "odd", {"author": "x", "change": 9, "labels": labels})
    assert labels_after(tmp_path, STARTED, CHANGES[0], odd) == FIRST


def test_of_a_study_its_labels_stay() -> None:
    old = {"study": "separators", "study id": "s-1", "variant": "PP"}
    assert checked(old, {**old, "variant": " GO "}) == {**old, "variant": "GO"}
    for new in ({**old, "study": "other"}, {"study": "separators", "variant": "PP"}):
        with pytest.raises(ServiceError, match="study"):
            checked(old, new)
    with pytest.raises(ServiceError, match="this run is of none"):
        checked({}, {"study": "separators"})


@pytest.mark.parametrize(
    "new", [{"": "x"}, {"  ": "x"}, {"a=b": "x"}, {"a": "1", " a": "2"}, {"n" * 101: "x"}]
)
def test_a_name_nobody_could_ask_for_is_refused(new: dict[str, str]) -> None:
    with pytest.raises(ServiceError, match="name"):
        checked({}, new)


def test_a_label_of_before_stays_whatever_it_is_called() -> None:
    assert checked({"a=b": "x"}, {"a=b": "y"}) == {"a=b": "y"}
