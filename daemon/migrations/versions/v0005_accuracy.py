"""What the maker of an instrument states of its readings."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the accuracy; of runs of before it is not known."""
    op.add_column("runs", sa.Column("accuracy", sa.Text))
