"""The migrations lead every database to the tables the code speaks of."""

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from daemon import migrations
from daemon.errors import ConfigurationError, UnavailableError
from daemon.reading.results import Results
from daemon.recording.database import open_database
from daemon.recording.store import Store
from daemon.recording.tables import metadata
from tests.daemon.deliveries import batched, whole_run


def schema(path: Path) -> dict[str, list[str]]:
    """The words of every table, in no order: constraints may be listed in any."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    ours = (row for row in rows if row[0] not in ("alembic_version", "readings_lab"))
    return {name: sorted(sql.replace(",", " ").split()) for name, sql in ours}


def test_the_migrated_schema_is_the_one_the_code_speaks_of(tmp_path: Path) -> None:
    engine = open_database(str(tmp_path / "migrated.db"), write=True)
    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    metadata.create_all(create_engine(f"sqlite:///{tmp_path / 'created.db'}"))
    assert schema(tmp_path / "migrated.db") == schema(tmp_path / "created.db")


def test_the_head_is_the_last_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]


def test_upgrading_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    store = Store.open(str(path))
    store.add(batched(whole_run("one")))
    before = schema(path)
    migrations.upgrade(open_database(str(path), write=True))
    assert schema(path) == before
    assert len(Results.open(str(path)).readings("one")) == 40


def test_a_later_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    Store.open(str(path)).close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(ConfigurationError, match=f"'9999', wanted '{migrations.HEAD}'"):
        Store.open(str(path))


@pytest.mark.parametrize(
    ("revision", "wanted"), [("0001", "start its recorder"), ("9999", "written by a later one")]
)
def test_a_reader_says_which_galvanod_a_database_is_of(tmp_path: Path, revision: str, wanted: str) -> None:
    path = tmp_path / "results.db"
    Store.open(str(path)).close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.close()
    with pytest.raises(ConfigurationError, match=f"at revision {revision}, .*{wanted}"):
        Results.open(str(path))


def test_an_upgrade_that_is_interrupted_leaves_nothing_half_made(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE events (mine TEXT)")  # the tenth table cannot be made
    connection.close()
    with pytest.raises(UnavailableError, match="table events already exists"):
        Store.open(str(path))
    assert list(schema(path)) == ["events"]


def test_two_that_open_a_new_database_at_once_both_succeed(tmp_path: Path) -> None:
    stores: list[Store] = []
    threads = [
        threading.Thread(target=lambda: stores.append(Store.open(str(tmp_path / "results.db")))) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(stores) == 2
    for store in stores:
        store.close()


def test_the_lab_view_is_in_milliampere_hours(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    Store.open(str(path)).add(batched(whole_run("one")))
    connection = sqlite3.connect(path)
    # Reading 1: 1 mA, 1 mC = 1e-3 / 3.6 mAh, 2 mJ = 2e-3 / 3.6 mWh.
    row = connection.execute(
        "SELECT run, current_milliampere, capacity_milliampere_hour, energy_milliwatt_hour"
        " FROM readings_lab WHERE number = 1"
    ).fetchone()
    connection.close()
    assert row == ("one", 1.0, pytest.approx(2.777778e-4), pytest.approx(5.555556e-4))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    path.write_bytes(b"letters to my aunt " * 100)
    with pytest.raises(UnavailableError, match="file is not a database"):
        Store.open(str(path))
