"""alarms with a life, and geofences

Alarms of routing move into the one table of all rooms. Where an alarm came several times, each
row had a key with its time; they stay apart, as first occurrences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from fleet.kit import db
from fleet.org.models import Packed

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

CAUSES = {
    "sos": "safety",
    "device_silent": "unit",
    "visit_missed": "missed",
    "route_late": "delay",
}


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("actionable", sa.Boolean(), nullable=False),
        sa.Column("seen_by", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=14), nullable=False),
        sa.Column("holding", sa.Boolean(), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("shift", sa.String(length=40), nullable=False),
        sa.Column("zone_id", sa.String(length=80), nullable=True),
        sa.Column("ward_ids", db.JsonDict(), nullable=False),
        sa.Column("beat", sa.String(length=80), nullable=True),
        sa.Column("vehicle_id", sa.String(length=80), nullable=True),
        sa.Column("device_id", sa.String(length=80), nullable=True),
        sa.Column("route_id", sa.String(length=40), nullable=True),
        sa.Column("visit_id", sa.String(length=40), nullable=True),
        sa.Column("lane_id", sa.String(length=80), nullable=True),
        sa.Column("place_id", sa.String(length=80), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("t", db.UtcDateTime(), nullable=False),
        sa.Column("raised_t", db.UtcDateTime(), nullable=False),
        sa.Column("seen_t", db.UtcDateTime(), nullable=False),
        sa.Column("acknowledged_by", sa.String(length=200), nullable=True),
        sa.Column("acknowledged_user", sa.String(length=40), nullable=True),
        sa.Column("acknowledged_t", db.UtcDateTime(), nullable=True),
        sa.Column("acknowledged_n", sa.Integer(), nullable=True),
        sa.Column("cleared_by", sa.String(length=200), nullable=True),
        sa.Column("cleared_user", sa.String(length=40), nullable=True),
        sa.Column("cleared_t", db.UtcDateTime(), nullable=True),
        sa.Column("group_id", sa.String(length=40), nullable=True),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("words", db.JsonDict(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
        sa.UniqueConstraint("key", "occurrence", name=op.f("uq_alarm_key_occurrence")),
    )
    op.create_index("ix_alarm_state_seen_t", "alarm", ["state", "seen_t"])
    op.create_index("ix_alarm_service_date_zone_id", "alarm", ["service_date", "zone_id"])
    op.create_index("ix_alarm_group_id", "alarm", ["group_id"])
    op.create_index("ix_alarm_vehicle_id", "alarm", ["vehicle_id"])
    op.create_table(
        "geofence",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("geometry", Packed(), nullable=False),
        sa.Column("radius_m", sa.Float(), nullable=False),
        sa.Column("dwell_s", sa.Float(), nullable=False),
        sa.Column("rules", db.JsonDict(), nullable=False),
        sa.Column("changed_t", db.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_geofence")),
    )
    _move_alarms()
    op.drop_index("ix_routing_alarm_service_date", table_name="routing_alarm")
    op.drop_table("routing_alarm")
    with op.batch_alter_table("routing_route_progress", schema=None) as batch_op:
        batch_op.drop_column("late_alarmed")


def _move_alarms() -> None:
    """Only help that somebody called for stays open; the rest belonged to days that are over."""
    bind = op.get_bind()
    tables = sa.MetaData()
    old = sa.Table("routing_alarm", tables, autoload_with=bind)
    new = sa.Table("alarm", tables, autoload_with=bind)
    cause = sa.case(CAUSES, value=old.c.kind, else_="delay")
    is_sos = old.c.kind == "sos"
    columns: dict[str, sa.ColumnElement[Any]] = {
        **{
            name: old.c[name]
            for name in (
                "id",
                "key",
                "kind",
                "severity",
                "service_date",
                "vehicle_id",
                "route_id",
                "visit_id",
                "ward_ids",
                "t",
                "text",
                "words",
            )
        },
        "version": sa.literal(1),
        "occurrence": sa.literal(1),
        "cause": cause,
        "actionable": sa.true(),
        "seen_by": sa.literal("dispatcher"),
        "state": sa.case((is_sos, "raised"), else_="cleared"),
        "holding": sa.false(),
        "shift": sa.literal(""),
        "n": sa.literal(1),
        "times": sa.literal(1),
        "raised_t": old.c.t,
        "seen_t": old.c.t,
        "cleared_t": sa.case((is_sos, sa.null()), else_=old.c.t),
    }
    bind.execute(sa.insert(new).from_select(list(columns), sa.select(*columns.values())))


def downgrade() -> None:
    with op.batch_alter_table("routing_route_progress", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("late_alarmed", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    op.create_table(
        "routing_alarm",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("service_date", sa.Date(), nullable=False),
        sa.Column("vehicle_id", sa.String(length=80), nullable=True),
        sa.Column("route_id", sa.String(length=40), nullable=True),
        sa.Column("visit_id", sa.String(length=40), nullable=True),
        sa.Column("ward_ids", db.JsonDict(), nullable=False),
        sa.Column("t", db.UtcDateTime(), nullable=False),
        sa.Column("text", sa.String(length=400), nullable=False),
        sa.Column("words", db.JsonDict(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_routing_alarm")),
        sa.UniqueConstraint("key", name=op.f("uq_routing_alarm_key")),
    )
    op.create_index("ix_routing_alarm_service_date", "routing_alarm", ["service_date"])
    bind = op.get_bind()
    tables = sa.MetaData()
    new = sa.Table("alarm", tables, autoload_with=bind)
    old = sa.Table("routing_alarm", tables, autoload_with=bind)
    kept = sa.select(
        new.c.id,
        new.c.id.label("key"),
        new.c.kind,
        new.c.severity,
        new.c.service_date,
        new.c.vehicle_id,
        new.c.route_id,
        new.c.visit_id,
        new.c.ward_ids,
        new.c.t,
        sa.func.substr(new.c.text, 1, 400),
        new.c.words,
    ).where(new.c.kind.in_(CAUSES))
    bind.execute(sa.insert(old).from_select([column.name for column in old.columns], kept))
    op.drop_table("geofence")
    op.drop_table("alarm")
