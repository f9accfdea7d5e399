"""What happened on all channels is listed together, back to the beginning."""

from pathlib import Path

from sqlalchemy import Engine

from daemon.delivery.messages import Noted, RunEnded
from daemon.reading.happenings import Asked, Happenings, Sort
from daemon.recording.database import open_database
from daemon.recording.store import Store
from tests.daemon.deliveries import batched, run_started

EIGHT = 1_800_000_000.0  # 2027-01-15T08:00:00Z


def ended(run: str, state: str, reason: str, moment: str) -> RunEnded:
    return RunEnded(run, moment, 9.0, state, reason, 0, 0)


def recorded(path: Path) -> Engine:
    """Run a has a gap a minute after eight and trips a minute later; between them b pauses, and finishes."""
    store = Store.open(str(path))
    store.add(
        batched(
            [
                run_started("a"),
                run_started("b", "SS|PP|SS"),
                Noted("a", 1, 60.0, "interrupted", "the core went away", {"seconds": 4}, EIGHT + 60),
                Noted("b", 1, 9e9, "resistance", "2 ohm", {}, EIGHT + 90),
                ended("a", "tripped", "voltage 4.31 V is outside", "2027-01-15T08:02:00+00:00"),
                ended("b", "finished", "every step is done", "2027-01-15T08:03:00+00:00"),
            ]
        )
    )
    store.close()
    return open_database(str(path), write=False)


def test_they_come_the_latest_first_whatever_time_their_cells_live_in(tmp_path: Path) -> None:
    found = Happenings(recorded(tmp_path / "results.db")).page(Asked(), None, 10)
    assert [(each.run, each.kind, each.sort) for each in found.events] == [
        ("b", "finished", Sort.END),
        ("a", "tripped", Sort.TRIP),
        ("b", "resistance", Sort.NOTE),
        ("a", "interrupted", Sort.GAP),
    ]
    assert found.events[3].moment == "2027-01-15T08:01:00.000+00:00"
    assert found.next is None


def test_pages_lead_back_to_the_beginning_without_a_gap(tmp_path: Path) -> None:
    happenings = Happenings(recorded(tmp_path / "results.db"))
    kinds, cursor = [], None
    for _ in range(4):
        page = happenings.page(Asked(), cursor, 1)
        kinds += [each.kind for each in page.events]
        cursor = page.next
    assert kinds == ["finished", "tripped", "resistance", "interrupted"]
    assert cursor is None


def test_one_sort_or_what_has_a_word_in_it_is_listed_alone(tmp_path: Path) -> None:
    happenings = Happenings(recorded(tmp_path / "results.db"))

    def runs(asked: Asked) -> list[str]:
        return [f"{each.run} {each.kind}" for each in happenings.page(asked, None, 10).events]

    assert runs(Asked([Sort.TRIP])) == ["a tripped"]
    assert runs(Asked([Sort.END])) == ["b finished"]
    assert runs(Asked([Sort.GAP])) == ["a interrupted"]
    assert runs(Asked([Sort.NOTE])) == ["b resistance"]
    assert runs(Asked([Sort.TRIP, Sort.NOTE])) == ["a tripped", "b resistance"]
    assert runs(Asked(words="ss|pp")) == ["b finished", "b resistance"]
    assert runs(Asked(words="4.31")) == ["a tripped"]
    assert runs(Asked(words="%")) == []
    assert runs(Asked(channel="another")) == []
