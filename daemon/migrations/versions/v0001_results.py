"""The first schema: what a run was, what it read, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

READINGS_LAB = """
CREATE VIEW readings_lab AS
SELECT runs.name AS run, number, time AS time_second, time / 3600.0 AS time_hour, cycle, step,
    voltage AS voltage_volt, current * 1000.0 AS current_milliampere,
    capacity / 3.6 AS capacity_milliampere_hour, energy / 3.6 AS energy_milliwatt_hour,
    temperature AS temperature_celsius, flags
FROM readings JOIN runs ON runs.id = readings.run_id
"""


def upgrade() -> None:
    """Create everything."""
    _cells()
    _protocols()
    _instruments()
    _runs()
    _steps()
    _readings()
    _impedance()
    _cycles()
    _figures()
    _events()
    _dead_letters()
    op.execute(READINGS_LAB)


def downgrade() -> None:
    """Remove everything."""
    op.execute("DROP VIEW readings_lab")
    for table in reversed(TABLES):
        op.drop_table(table)


TABLES = (
    "cells",
    "protocols",
    "instruments",
    "runs",
    "steps",
    "readings",
    "impedance",
    "cycles",
    "figures",
    "events",
    "dead_letters",
)


def _cells() -> None:
    op.create_table(
        "cells",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "digest",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of name and facts: a changed cell file is a new cell",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False, comment="JSON: the cell file in SI"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest", name="uq_cells_digest"),
    )


def _protocols() -> None:
    op.create_table(
        "protocols",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of the canonical form"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False, comment="JSON, variables filled in"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest", name="uq_protocols_digest"),
    )


def _instruments() -> None:
    op.create_table(
        "instruments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of all that was said of it"),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("maker", sa.Text()),
        sa.Column("model", sa.Text()),
        sa.Column("serial", sa.Text()),
        sa.Column("firmware", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest", name="uq_instruments_digest"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("core", sa.Text(), comment="the core that ran it"),
        sa.Column("channel", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False, comment="running, finished, stopped, tripped, failed"),
        sa.Column("reason", sa.Text(), comment="why it ended"),
        sa.Column("started", sa.Text()),
        sa.Column("ended", sa.Text()),
        sa.Column("duration", sa.Float(precision=53)),
        sa.Column(
            "readings", sa.Integer(), comment="how many were numbered; the number stored may not be less"
        ),
        sa.Column("impedance_points", sa.Integer()),
        sa.Column("simulated", sa.Boolean()),
        sa.Column("cell_id", sa.Integer()),
        sa.Column("protocol_id", sa.Integer()),
        sa.Column("instrument_id", sa.Integer()),
        sa.Column("protocol_source", sa.Text(), comment="the YAML as it was submitted"),
        sa.Column("variables", sa.Text(), comment="JSON"),
        sa.Column("limits", sa.Text(), comment="JSON"),
        sa.Column("figures", sa.Text(), comment="JSON: the figures of merit asked for"),
        sa.Column("versions", sa.Text(), comment="JSON"),
        sa.Column("figured", sa.Text(), comment="the last step its figures cover, or 'end'"),
        sa.ForeignKeyConstraint(["cell_id"], ["cells.id"], name="fk_runs_cell_id"),
        sa.ForeignKeyConstraint(["instrument_id"], ["instruments.id"], name="fk_runs_instrument_id"),
        sa.ForeignKeyConstraint(["protocol_id"], ["protocols.id"], name="fk_runs_protocol_id"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name", name="uq_runs_name"),
    )


def _steps() -> None:
    op.create_table(
        "steps",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), comment="place in the protocol: 3.1 is the first step inside the third"),
        sa.Column("line", sa.Integer()),
        sa.Column("verb", sa.Text()),
        sa.Column("setting", sa.Text()),
        sa.Column("set_value", sa.Float(precision=53)),
        sa.Column("cycle", sa.Integer()),
        sa.Column("rounds", sa.Text(), comment="JSON: turns of the loops around it, outermost first"),
        sa.Column("marks", sa.Text(), comment="JSON"),
        sa.Column("open_circuit_voltage", sa.Float(precision=53)),
        sa.Column("started", sa.Float(precision=53)),
        sa.Column("ended", sa.Float(precision=53)),
        sa.Column("reason", sa.Text(), comment="why it ended"),
        sa.Column("duration", sa.Float(precision=53)),
        sa.Column("capacity", sa.Float(precision=53)),
        sa.Column("energy", sa.Float(precision=53)),
        sa.Column("first_reading", sa.Integer()),
        sa.Column("last_reading", sa.Integer()),
        sa.Column("start_voltage", sa.Float(precision=53)),
        sa.Column("end_voltage", sa.Float(precision=53)),
        sa.Column("mean_voltage", sa.Float(precision=53)),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_steps_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "ordinal", name="pk_steps"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_steps_run_id_cycle", "steps", ["run_id", "cycle"])


def _readings() -> None:
    op.create_table(
        "readings",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("time", sa.Float(precision=53), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("voltage", sa.Float(precision=53)),
        sa.Column("current", sa.Float(precision=53)),
        sa.Column("capacity", sa.Float(precision=53)),
        sa.Column("energy", sa.Float(precision=53)),
        sa.Column("temperature", sa.Float(precision=53)),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_readings_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_readings"),
        sqlite_with_rowid=False,
    )


def _impedance() -> None:
    op.create_table(
        "impedance",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("time", sa.Float(precision=53), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("frequency", sa.Float(precision=53)),
        sa.Column("real", sa.Float(precision=53)),
        sa.Column("imaginary", sa.Float(precision=53)),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_impedance_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "number", name="pk_impedance"),
        sqlite_with_rowid=False,
    )


def _cycles() -> None:
    op.create_table(
        "cycles",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("first_reading", sa.Integer()),
        sa.Column("last_reading", sa.Integer(), comment="of the steps that have ended"),
        sa.Column("duration", sa.Float(precision=53)),
        sa.Column("charge_capacity", sa.Float(precision=53)),
        sa.Column("discharge_capacity", sa.Float(precision=53)),
        sa.Column("charge_energy", sa.Float(precision=53)),
        sa.Column("discharge_energy", sa.Float(precision=53)),
        sa.Column("mean_charge_voltage", sa.Float(precision=53)),
        sa.Column("mean_discharge_voltage", sa.Float(precision=53)),
        sa.Column("hysteresis", sa.Float(precision=53)),
        sa.Column("coulombic_efficiency", sa.Float(precision=53)),
        sa.Column("energy_efficiency", sa.Float(precision=53)),
        sa.Column("pairing", sa.Text(), comment="which capacity over which the Coulombic efficiency is"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_cycles_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "cycle", name="pk_cycles"),
        sqlite_with_rowid=False,
    )


def _figures() -> None:
    op.create_table(
        "figures",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Integer()),
        sa.Column("step", sa.Integer()),
        sa.Column("mark", sa.Text()),
        sa.Column(
            "value", sa.Float(precision=53), comment="empty where it could not be had: the warnings say why"
        ),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("uncertainty", sa.Float(precision=53), comment="standard, one sigma"),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("warnings", sa.Text(), nullable=False, comment="JSON"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_figures_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "position", name="pk_figures"),
        sqlite_with_rowid=False,
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("time", sa.Float(precision=53), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, comment="JSON"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_events_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "ordinal", name="pk_events"),
        sqlite_with_rowid=False,
    )


def _dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of topic and payload"),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "size", sa.Integer(), nullable=False, comment="bytes that came; at most the first 64 KiB are kept"
        ),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False, comment="how often it came"),
        sa.Column("first_seen", sa.Text(), nullable=False),
        sa.Column("last_seen", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_dead_letters"),
    )
