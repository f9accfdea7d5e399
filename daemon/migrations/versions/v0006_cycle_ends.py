"""How each half-cycle ended and how long it took; what the readings say beside the instrument's counter."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NUMBER = sa.Float(53)
CYCLES = ("charge_time", "discharge_time", "charge_end_voltage", "discharge_end_voltage", "disagreement")


def upgrade() -> None:
    """Add the columns; cycles of before leave them empty."""
    op.add_column("steps", sa.Column("own_capacity", NUMBER))
    for name in CYCLES:
        op.add_column("cycles", sa.Column(name, NUMBER))
