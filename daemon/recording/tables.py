"""The tables of the results database, readable by anyone with `sqlite3` or `psql`.

SI throughout: second, volt, ampere, coulomb, joule, ohm, hertz, degrees Celsius. Current,
capacity and energy are positive on charge, except that `cycles.discharge_…` count what the
discharge took out. Moments are UTC in ISO 8601; `time` is in seconds since the run began. Where
a reading was not a number the column is empty (SQLite keeps no NaN). The readings of a run that was
archived are no longer in `readings` but, as Parquet, in `archives`.
"""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData()

# `Float` is 8 bytes on SQLite whatever is said; PostgreSQL needs the precision named.
NUMBER = Float(53)


def _of_run(table: str) -> Column[int]:
    return Column(
        "run_id",
        Integer,
        ForeignKey("runs.id", name=f"fk_{table}_run_id", ondelete="CASCADE"),
        nullable=False,
    )


def _columns(kind: TypeEngine[float], *names: str) -> list[Column[float]]:
    return [Column(name, kind) for name in names]


cells = Table(
    "cells",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "digest", Text, nullable=False, comment="SHA-256 of name and facts: a changed cell file is a new cell"
    ),
    Column("name", Text, nullable=False),
    Column("facts", Text, nullable=False, comment="JSON: the cell file in SI"),
    UniqueConstraint("digest", name="uq_cells_digest"),
)

protocols = Table(
    "protocols",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Text, nullable=False, comment="SHA-256 of the canonical form"),
    Column("name", Text, nullable=False),
    Column("canonical", Text, nullable=False, comment="JSON, variables filled in"),
    UniqueConstraint("digest", name="uq_protocols_digest"),
)

instruments = Table(
    "instruments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", Text, nullable=False, comment="SHA-256 of all that was said of it"),
    Column("driver", Text, nullable=False),
    Column("maker", Text),
    Column("model", Text),
    Column("serial", Text),
    Column("firmware", Text),
    Column("address", Text),
    UniqueConstraint("digest", name="uq_instruments_digest"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("core", Text, comment="the core that ran it"),
    Column("channel", Text),
    Column("state", Text, nullable=False, comment="running, finished, stopped, tripped, failed"),
    Column("reason", Text, comment="why it ended"),
    Column("started", Text),
    Column("ended", Text),
    Column("duration", NUMBER),
    Column("readings", Integer, comment="how many were numbered; the number stored may not be less"),
    Column("impedance_points", Integer),
    Column("simulated", Boolean),
    Column("cell_id", Integer, ForeignKey("cells.id", name="fk_runs_cell_id")),
    Column("protocol_id", Integer, ForeignKey("protocols.id", name="fk_runs_protocol_id")),
    Column("instrument_id", Integer, ForeignKey("instruments.id", name="fk_runs_instrument_id")),
    Column("protocol_source", Text, comment="the YAML as it was submitted"),
    Column("variables", Text, comment="JSON"),
    Column("limits", Text, comment="JSON"),
    Column("figures", Text, comment="JSON: the figures of merit asked for"),
    Column("versions", Text, comment="JSON"),
    Column("labels", Text, comment="JSON: what people say of it, such as its study and variant"),
    Column("accuracy", Text, comment="JSON: what the instrument's maker states of its readings"),
    Column("figured", Text, comment="the last step its figures cover, or 'end'"),
    UniqueConstraint("name", name="uq_runs_name"),
    Index("ix_runs_started", "started", "id"),
)

steps = Table(
    "steps",
    metadata,
    _of_run("steps"),
    Column("ordinal", Integer, nullable=False),
    Column("path", Text, comment="place in the protocol: 3.1 is the first step inside the third"),
    Column("line", Integer),
    Column("verb", Text),
    Column("setting", Text),
    Column("set_value", NUMBER),
    Column("cycle", Integer),
    Column("rounds", Text, comment="JSON: turns of the loops around it, outermost first"),
    Column("marks", Text, comment="JSON"),
    *_columns(NUMBER, "open_circuit_voltage", "started", "ended"),
    Column("reason", Text, comment="why it ended"),
    *_columns(NUMBER, "duration", "capacity", "energy"),
    Column("first_reading", Integer),
    Column("last_reading", Integer),
    *_columns(NUMBER, "start_voltage", "end_voltage", "mean_voltage"),
    Column(
        "own_capacity", NUMBER, comment="integral of the readings where the instrument counted `capacity`"
    ),
    PrimaryKeyConstraint("run_id", "ordinal", name="pk_steps"),
    Index("ix_steps_run_id_cycle", "run_id", "cycle"),
    sqlite_with_rowid=False,
)

readings = Table(
    "readings",
    metadata,
    _of_run("readings"),
    Column("number", Integer, nullable=False),
    Column("time", NUMBER, nullable=False),
    Column("step", Integer, nullable=False),
    Column("cycle", Integer, nullable=False),
    *_columns(NUMBER, "voltage", "current", "capacity", "energy", "temperature"),
    Column("flags", Integer, nullable=False),
    PrimaryKeyConstraint("run_id", "number", name="pk_readings"),
    sqlite_with_rowid=False,
)

impedance = Table(
    "impedance",
    metadata,
    _of_run("impedance"),
    Column("number", Integer, nullable=False),
    Column("time", NUMBER, nullable=False),
    Column("step", Integer, nullable=False),
    Column("cycle", Integer, nullable=False),
    *_columns(NUMBER, "frequency", "real", "imaginary"),
    Column("flags", Integer, nullable=False),
    PrimaryKeyConstraint("run_id", "number", name="pk_impedance"),
    sqlite_with_rowid=False,
)

cycles = Table(
    "cycles",
    metadata,
    _of_run("cycles"),
    Column("cycle", Integer, nullable=False),
    Column("first_reading", Integer),
    Column("last_reading", Integer, comment="of the steps that have ended"),
    *_columns(
        NUMBER,
        "duration",
        "charge_capacity",
        "discharge_capacity",
        "charge_energy",
        "discharge_energy",
        "mean_charge_voltage",
        "mean_discharge_voltage",
        "hysteresis",
        "coulombic_efficiency",
        "energy_efficiency",
    ),
    Column("pairing", Text, comment="which capacity over which the Coulombic efficiency is"),
    *_columns(NUMBER, "charge_time", "discharge_time", "charge_end_voltage", "discharge_end_voltage"),
    Column(
        "disagreement", NUMBER, comment="largest share by which own integral and counter of a step differ"
    ),
    PrimaryKeyConstraint("run_id", "cycle", name="pk_cycles"),
    sqlite_with_rowid=False,
)

figures = Table(
    "figures",
    metadata,
    _of_run("figures"),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("cycle", Integer),
    Column("step", Integer),
    Column("mark", Text),
    Column("value", NUMBER, comment="empty where it could not be had: the warnings say why"),
    Column("unit", Text, nullable=False),
    Column("uncertainty", NUMBER, comment="standard, one sigma"),
    Column("method", Text, nullable=False),
    Column("detail", Text, nullable=False, comment="JSON"),
    Column("warnings", Text, nullable=False, comment="JSON"),
    PrimaryKeyConstraint("run_id", "position", name="pk_figures"),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    _of_run("events"),
    Column("ordinal", Integer, nullable=False),
    Column("time", NUMBER, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("detail", Text, nullable=False, comment="JSON"),
    Column("moment", Text, comment="when it was noted"),
    PrimaryKeyConstraint("run_id", "ordinal", name="pk_events"),
    Index("ix_events_moment", "moment"),
    sqlite_with_rowid=False,
)

archives = Table(
    "archives",
    metadata,
    _of_run("archives"),
    Column("first_reading", Integer, nullable=False),
    Column("last_reading", Integer, nullable=False),
    Column("digest", Text, nullable=False, comment="SHA-256 of the content"),
    Column("content", LargeBinary, nullable=False, comment="Parquet: the readings from first to last"),
    PrimaryKeyConstraint("run_id", "first_reading", name="pk_archives"),
)

overview = Table(
    "overview",
    metadata,
    _of_run("overview"),
    Column("level", Integer, nullable=False, comment="0: of 128 readings; each further, four"),
    Column("block", Integer, nullable=False, comment="from 0; 0 begins with reading 1"),
    Column("begins", NUMBER, nullable=False),
    Column("ends", NUMBER, nullable=False),
    *(
        Column(name, Integer, nullable=False)
        for name in ("first_step", "last_step", "first_cycle", "last_cycle")
    ),
    *_columns(
        NUMBER,
        *(
            f"{edge}_{quantity}"
            for quantity in ("voltage", "current", "capacity", "temperature")
            for edge in ("lowest", "highest", "first")
        ),
    ),
    PrimaryKeyConstraint("run_id", "level", "block", name="pk_overview"),
    sqlite_with_rowid=False,
)

overviews = Table(
    "overviews",
    metadata,
    _of_run("overviews"),
    Column("reading", Integer, nullable=False, comment="up to which the overview is made"),
    Column("missing", Integer, nullable=False, comment="blocks of 128 with readings missing"),
    PrimaryKeyConstraint("run_id", name="pk_overviews"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("digest", Text, nullable=False, comment="SHA-256 of topic and payload"),
    Column("topic", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("size", Integer, nullable=False, comment="bytes that came; at most the first 64 KiB are kept"),
    Column("payload", LargeBinary, nullable=False),
    Column("times", Integer, nullable=False, comment="how often it came"),
    Column("first_seen", Text, nullable=False),
    Column("last_seen", Text, nullable=False),
    PrimaryKeyConstraint("digest", name="pk_dead_letters"),
)

lineage = Table(
    "lineage",
    metadata,
    Column("ordinal", Integer, nullable=False, comment="the largest is the database itself"),
    Column("name", Text, nullable=False, comment="of a database it began with, or its own"),
    Column("commits", Integer, nullable=False, comment="how many of its commits are in here"),
    PrimaryKeyConstraint("name", name="pk_lineage"),
)
