"""The overview of long runs, and the order of the list of runs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NUMBER = sa.Float(53)
QUANTITIES = ("voltage", "current", "capacity", "temperature")


def upgrade() -> None:
    """Add the tables; the recorder makes the overviews of earlier runs while it records."""
    _overview()
    op.create_index("ix_runs_started", "runs", ["started", "id"])


def _overview() -> None:
    op.create_table(
        "overview",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False, comment="0: of 128 readings; each further, four"),
        sa.Column("block", sa.Integer(), nullable=False, comment="from 0; 0 begins with reading 1"),
        sa.Column("begins", NUMBER, nullable=False),
        sa.Column("ends", NUMBER, nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("first_step", "last_step", "first_cycle", "last_cycle")
        ),
        *(
            sa.Column(f"{edge}_{quantity}", NUMBER)
            for quantity in QUANTITIES
            for edge in ("lowest", "highest", "first")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_overview_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "level", "block", name="pk_overview"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "overviews",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("reading", sa.Integer(), nullable=False, comment="up to which the overview is made"),
        sa.Column("missing", sa.Integer(), nullable=False, comment="blocks of 128 with readings missing"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_overviews_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name="pk_overviews"),
    )
