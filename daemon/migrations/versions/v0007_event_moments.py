"""When an event was noted, so that those of all runs can be listed together."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; events of before get the moment their run says, if it lived in real time."""
    op.add_column("events", sa.Column("moment", sa.Text(), comment="when it was noted"))
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "SELECT run_id, ordinal, time, started FROM events JOIN runs ON runs.id = run_id"
            " WHERE started IS NOT NULL AND simulated IS NOT TRUE AND kind NOT IN ('imported', 'remark')"
        )
    ).all()
    for run_id, ordinal, time, started in rows:
        moment = datetime.fromisoformat(started) + timedelta(seconds=time)
        connection.execute(
            sa.text("UPDATE events SET moment = :moment WHERE run_id = :run_id AND ordinal = :ordinal"),
            {"moment": moment.isoformat(timespec="milliseconds"), "run_id": run_id, "ordinal": ordinal},
        )
    op.create_index("ix_events_moment", "events", ["moment"])
