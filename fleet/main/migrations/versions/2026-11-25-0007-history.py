"""compact day tracks"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from fleet.kit.db import JsonDict, UtcDateTime

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "day_track",
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("made_t", UtcDateTime(timezone=True), nullable=False),
        sa.Column("fixes", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("track", sa.LargeBinary(), nullable=False),
        sa.Column("summary", JsonDict(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle_id", "service_date", name=op.f("pk_day_track")),
    )
    op.create_index("ix_day_track_service_date", "day_track", ["service_date"])
    # Coverage reads all lanes of some days; what was there finds one lane's days only.
    op.create_index("ix_lane_traversal_day_lane", "lane_traversal", ["service_date", "lane_id"])


def downgrade() -> None:
    op.drop_index("ix_lane_traversal_day_lane", table_name="lane_traversal")
    op.drop_index("ix_day_track_service_date", table_name="day_track")
    op.drop_table("day_track")
