"""What people say of a run: its study, its variant, who is at the bench."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the labels; runs of before have none."""
    op.add_column("runs", sa.Column("labels", sa.Text))
