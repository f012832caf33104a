"""lane passes with their stretches, and judgements"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from fleet.kit import db

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

NEW_COLUMNS = (
    *("served_spans", "driven_spans", "service_s", "halts"),
    *("standing_s", "offset_m", "hidden_m"),
)


def upgrade() -> None:
    with op.batch_alter_table("lane_traversal") as batch_op:
        batch_op.add_column(
            sa.Column("served_spans", db.JsonDict(), nullable=False, server_default="[]")
        )
        batch_op.add_column(
            sa.Column("driven_spans", db.JsonDict(), nullable=False, server_default="[]")
        )
        batch_op.add_column(sa.Column("service_s", sa.Float(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("halts", sa.Integer(), nullable=False, server_default="0"))
        for name in ("standing_s", "offset_m", "hidden_m"):
            batch_op.add_column(sa.Column(name, sa.Float(), nullable=False, server_default="0"))
    cast = "jsonb" if op.get_bind().dialect.name == "postgresql" else "text"
    for what in ("served", "driven"):
        # Where on the lane it was is not known of older passes: it is put at the beginning.
        op.execute(
            f"UPDATE lane_traversal SET {what}_spans = "
            f"CAST('[[0, ' || {what}_fraction || ']]' AS {cast}) WHERE {what}_fraction > 0"
        )
    with op.batch_alter_table("lane_traversal") as batch_op:
        for name in NEW_COLUMNS:
            batch_op.alter_column(name, server_default=None)
    op.create_index(
        "ix_lane_traversal_provisional",
        "lane_traversal",
        ["vehicle_id"],
        sqlite_where=sa.text("provisional"),
        postgresql_where=sa.text("provisional"),
    )
    with op.batch_alter_table("routing_visit") as batch_op:
        batch_op.add_column(
            sa.Column("recheck", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("routing_visit") as batch_op:
        batch_op.alter_column("recheck", server_default=None)
    with op.batch_alter_table("routing_route_progress") as batch_op:
        batch_op.add_column(sa.Column("rhythm", sa.Float(), nullable=False, server_default="1"))
    with op.batch_alter_table("routing_route_progress") as batch_op:
        batch_op.alter_column("rhythm", server_default=None)
    op.create_table(
        "lift",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("vehicle_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("t", db.UtcDateTime(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lift")),
    )
    op.create_index("ix_lift_vehicle_t", "lift", ["vehicle_id", "t"])
    op.create_table(
        "routing_judgement",
        sa.Column("n", db.BigId, autoincrement=True, nullable=False),
        sa.Column("visit_id", sa.String(40), nullable=False),
        sa.Column("made_t", db.UtcDateTime(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("evidence", db.JsonDict(), nullable=True),
        sa.ForeignKeyConstraint(
            ["visit_id"],
            ["routing_visit.id"],
            name=op.f("fk_routing_judgement_visit_id_routing_visit"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_routing_judgement")),
    )
    op.create_index("ix_routing_judgement_visit_id", "routing_judgement", ["visit_id"])


def downgrade() -> None:
    op.drop_table("routing_judgement")
    op.drop_table("lift")
    with op.batch_alter_table("routing_route_progress") as batch_op:
        batch_op.drop_column("rhythm")
    with op.batch_alter_table("routing_visit") as batch_op:
        batch_op.drop_column("recheck")
    op.drop_index("ix_lane_traversal_provisional", "lane_traversal")
    with op.batch_alter_table("lane_traversal") as batch_op:
        for name in NEW_COLUMNS:
            batch_op.drop_column(name)
