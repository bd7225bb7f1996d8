"""What drives teach about the roads, and how true predicted drives come."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geography
from sqlalchemy.dialects import postgresql

from server.migrations.security import RUNTIME, secure

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_OUTCOMES = "'running', 'no_roads', 'too_little', 'too_soon', 'not_better', 'in_force', 'withdrawn', 'failed'"


def upgrade() -> None:
    op.create_table(
        "travel_drive",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("origin", _point(), nullable=False),
        sa.Column("destination", _point(), nullable=False),
        sa.Column("turns", sa.Float(), nullable=False),
        sa.Column("from_nodes", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("to_nodes", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("took", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.Column("free_flow", postgresql.ARRAY(sa.REAL()), nullable=False),
        _of_organisation("travel_drive"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("travel_drive_pkey")),
    )
    op.create_index(op.f("travel_drive_org_id_began_at_idx"), "travel_drive", ["org_id", "began_at"])
    op.create_table(
        "travel_day",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("drives", sa.Integer(), nullable=False),
        _of_organisation("travel_day"),
        sa.PrimaryKeyConstraint("org_id", "day", name=op.f("travel_day_pkey")),
    )
    op.create_table(
        "travel_prediction",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("set_out_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", _point(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("p90_seconds", sa.Integer(), nullable=False),
        sa.Column("metres", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.CheckConstraint("seconds > 0 and p90_seconds >= seconds", name=op.f("travel_prediction_seconds_check")),
        _of_organisation("travel_prediction"),
        sa.ForeignKeyConstraint(
            ["org_id", "visit_id"],
            ["visit.org_id", "visit.id"],
            name=op.f("travel_prediction_org_id_visit_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_id", "visit_id", name=op.f("travel_prediction_pkey")),
    )
    op.create_index(op.f("travel_prediction_org_id_set_out_at_idx"), "travel_prediction", ["org_id", "set_out_at"])
    secure(["travel_drive", "travel_day", "travel_prediction"])
    _create_learning()


def _create_learning() -> None:
    op.create_table(
        "travel_learning",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("progress", sa.String(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drives", sa.Integer(), nullable=False),
        sa.Column("trained_from", sa.Date(), nullable=True),
        sa.Column("trained_until", sa.Date(), nullable=True),
        sa.Column("back_test", postgresql.JSONB(), nullable=True),
        sa.Column("sets", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint(f"outcome in ({_OUTCOMES})", name=op.f("travel_learning_outcome_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("travel_learning_pkey")),
    )
    op.create_index(op.f("travel_learning_began_at_idx"), "travel_learning", ["began_at"])
    # Of no organisation: the roads are everybody's, and no row says anything about anybody's drives.
    op.execute(f"grant select, insert, update on travel_learning to {RUNTIME}")


def downgrade() -> None:
    for table in ("travel_learning", "travel_prediction", "travel_day", "travel_drive"):
        op.drop_table(table)


def _point() -> Geography:
    return Geography(geometry_type="POINT", srid=4326, spatial_index=False)


def _of_organisation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["org_id"], ["organisation.id"], name=op.f(f"{table}_org_id_fkey"), ondelete="CASCADE"
    )
