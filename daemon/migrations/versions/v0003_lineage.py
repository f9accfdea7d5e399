"""Every database has a name of its own and counts its commits, so that a copy can be told from it."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give the database its name."""
    lineage = op.create_table(
        "lineage",
        sa.Column("ordinal", sa.Integer(), nullable=False, comment="the largest is the database itself"),
        sa.Column("name", sa.Text(), nullable=False, comment="of a database it began with, or its own"),
        sa.Column("commits", sa.Integer(), nullable=False, comment="how many of its commits are in here"),
        sa.PrimaryKeyConstraint("name", name="pk_lineage"),
    )
    op.bulk_insert(lineage, [{"ordinal": 1, "name": uuid4().hex, "commits": 0}])


def downgrade() -> None:
    """Forget it."""
    op.drop_table("lineage")
