"""frames that nobody understood"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

import fleet.kit.db

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "unknown_frame",
        sa.Column("id", fleet.kit.db.BigId, nullable=False),
        sa.Column("at", fleet.kit.db.UtcDateTime(), nullable=False),
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("device_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("shape", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("frame", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unknown_frame")),
    )
    op.create_index(op.f("ix_unknown_frame_at"), "unknown_frame", ["at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_unknown_frame_at"), table_name="unknown_frame")
    op.drop_table("unknown_frame")
