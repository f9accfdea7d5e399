"""Readings of closed runs, kept as Parquet in the database itself."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; no run of before is archived."""
    op.create_table(
        "archives",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("first_reading", sa.Integer(), nullable=False),
        sa.Column("last_reading", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of the content"),
        sa.Column(
            "content", sa.LargeBinary(), nullable=False, comment="Parquet: the readings from first to last"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_archives_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "first_reading", name="pk_archives"),
    )
