"""weighbridge tickets, trips, and customary times"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from fleet.kit import db

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "weighbridge",
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("station_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_weighbridge")),
    )
    op.create_table(
        "ticket",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("station_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("stream", sa.String(), nullable=True),
        sa.Column("gross_kg", sa.Double(), nullable=False),
        sa.Column("tare_kg", sa.Double(), nullable=False),
        sa.Column("net_kg", sa.Double(), nullable=False),
        sa.Column("in_t", db.UtcDateTime(), nullable=False),
        sa.Column("out_t", db.UtcDateTime(), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("raw", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("received_t", db.UtcDateTime(), nullable=False),
        sa.Column("superseded_t", db.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_ticket")),
    )
    op.create_index("ix_ticket_service_date", "ticket", ["service_date"])
    # One current ticket of a number; the versions before it stay beside.
    op.create_index(
        "uq_ticket_current_number",
        "ticket",
        ["station_id", "number"],
        unique=True,
        sqlite_where=sa.text("superseded_t IS NULL"),
        postgresql_where=sa.text("superseded_t IS NULL"),
    )
    op.create_index("ix_ticket_number", "ticket", ["number"])
    op.create_table(
        "trip",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("pass_id", sa.String(), nullable=False),
        sa.Column("from_place_id", sa.String(), nullable=True),
        sa.Column("start_t", db.UtcDateTime(), nullable=False),
        sa.Column("station_id", sa.String(), nullable=False),
        sa.Column("arrived_t", db.UtcDateTime(), nullable=False),
        sa.Column("left_t", db.UtcDateTime(), nullable=True),
        sa.Column("km", sa.Double(), nullable=True),
        sa.Column("measured_t", db.UtcDateTime(), nullable=True),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("superseded_t", db.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trip")),
        sa.UniqueConstraint("pass_id", name=op.f("uq_trip_pass_id")),
    )
    op.create_index("ix_trip_service_date", "trip", ["service_date"])
    op.create_index("ix_trip_unsettled", "trip", ["settled", "left_t"])
    op.create_table(
        "excuse",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("by_user", sa.String(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.Column("at", db.UtcDateTime(), nullable=False),
        sa.Column("superseded_t", db.UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_excuse")),
    )
    op.create_index("ix_excuse_subject", "excuse", ["subject_id"])
    op.create_table(
        "customary_time",
        sa.Column("lane_id", sa.String(), nullable=False),
        sa.Column("shift", sa.String(), nullable=False),
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("usual_s", sa.Double(), nullable=False),
        sa.Column("spread_s", sa.Double(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("lane_id", "shift", "vehicle_id", name=op.f("pk_customary_time")),
    )


def downgrade() -> None:
    for table in ("customary_time", "excuse", "trip", "ticket", "weighbridge"):
        op.drop_table(table)
