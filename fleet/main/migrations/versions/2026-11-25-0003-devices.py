"""what a device is, beside a token"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.add_column(sa.Column("external_id", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("protocol", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("layout", sa.String(), nullable=True))
        batch_op.create_unique_constraint("uq_device_external_id", ["external_id"])


def downgrade() -> None:
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_constraint("uq_device_external_id", type_="unique")
        batch_op.drop_column("layout")
        batch_op.drop_column("protocol")
        batch_op.drop_column("external_id")
