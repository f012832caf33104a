"""what a device is, beside a token"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from fleet.kit import db

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
    op.create_table(
        "field_worker",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_hi", sa.String(), nullable=False),
        sa.Column("zone_id", sa.String(), nullable=False),
        sa.Column("duty", sa.String(), nullable=False),
        sa.Column("start_s", sa.Integer(), nullable=False),
        sa.Column("end_s", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["zone.id"], name=op.f("fk_field_worker_zone_id_zone")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_worker")),
    )
    with op.batch_alter_table("field_worker", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_field_worker_zone_id"), ["zone_id"], unique=False)
    op.create_table(
        "pull_source",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", db.UtcDateTime(), nullable=True),
        sa.Column("last_ok_at", db.UtcDateTime(), nullable=True),
        sa.Column("last_fixes", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error_at", db.UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("unknown_units", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pull_source")),
    )


def downgrade() -> None:
    op.drop_table("pull_source")
    with op.batch_alter_table("field_worker", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_field_worker_zone_id"))
    op.drop_table("field_worker")
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_constraint("uq_device_external_id", type_="unique")
        batch_op.drop_column("layout")
        batch_op.drop_column("protocol")
        batch_op.drop_column("external_id")
