"""Tracks by day, what became of fixes, pauses, areas as fences, dwelling."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geography
from sqlalchemy.dialects import postgresql

from server.migrations.security import run_sql, secure

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TABLES = ("position_policy", "position_stream", "position_day", "position_pause")
_KINDS_BEFORE, _KINDS_NOW = "'entered', 'left'", "'entered', 'dwelt', 'left'"


def upgrade() -> None:
    _make_policy()
    _make_stream()
    _make_day()
    _make_pause()
    secure(_TABLES)
    run_sql("0015_track.sql")
    secure(["position_track"])
    _let_fences_have_areas()
    _let_stays_have_dwelling()


def downgrade() -> None:
    _have_crossings_numbered_through()
    for table, column in (
        ("fence", "area"),
        ("site", "fence_area"),
        ("site", "fence_is_default"),
        ("position_last", "told_at"),
    ):
        op.drop_column(table, column)
    run_sql("0015_undo_track.sql")
    secure(["position_track"])
    for table in reversed(_TABLES):
        op.drop_table(table)


def _make_policy() -> None:
    op.create_table(
        "position_policy",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("keep_track_days", sa.Integer(), nullable=False),
        sa.Column("fence_radius_m", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("keep_track_days between 1 and 365", name=op.f("position_policy_keep_track_days_check")),
        sa.CheckConstraint("fence_radius_m between 20 and 20000", name=op.f("position_policy_fence_radius_check")),
        _of_organisation("position_policy"),
        sa.PrimaryKeyConstraint("org_id", name=op.f("position_policy_pkey")),
    )


def _make_stream() -> None:
    op.create_table(
        "position_stream",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("seen", postgresql.INT8MULTIRANGE(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "device_id"], ["device.org_id", "device.id"], name=op.f("position_stream_org_id_device_id_fkey")
        ),
        _of_organisation("position_stream"),
        sa.PrimaryKeyConstraint("org_id", "device_id", name=op.f("position_stream_pkey")),
    )


def _make_day() -> None:
    op.create_table(
        "position_day",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("kept", "off_shift", "paused", "too_old")),
        _of_person("position_day"),
        _of_organisation("position_day"),
        sa.PrimaryKeyConstraint("org_id", "person_id", "day", name=op.f("position_day_pkey")),
    )


def _make_pause() -> None:
    op.create_table(
        "position_pause",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in ("starts_at", "ends_at", "set_at")),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("position_pause_order_check")),
        _of_person("position_pause"),
        _of_organisation("position_pause"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("position_pause_pkey")),
    )
    op.create_index(
        op.f("position_pause_org_id_person_id_ends_at_idx"), "position_pause", ["org_id", "person_id", "ends_at"]
    )


def _let_fences_have_areas() -> None:
    op.add_column("position_last", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("fence", sa.Column("area", Geography("POLYGON", 4326, spatial_index=False), nullable=True))
    op.add_column("site", sa.Column("fence_area", Geography("POLYGON", 4326, spatial_index=False), nullable=True))
    op.add_column("site", sa.Column("fence_is_default", sa.Boolean(), server_default="false", nullable=False))
    # Nobody's phone has to pull a site for it.
    op.execute("alter table site disable trigger user, no force row level security")
    op.execute("update site set fence_is_default = true where fence_radius_m = 500")
    op.execute("alter table site enable trigger user, force row level security")


def _let_stays_have_dwelling() -> None:
    op.drop_constraint(op.f("fence_crossing_org_id_fence_id_ordinal_key"), "fence_crossing")
    op.drop_constraint(op.f("fence_crossing_kind_check"), "fence_crossing")
    op.alter_column("fence_crossing", "ordinal", new_column_name="stay")
    op.add_column("fence_crossing", sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("fence_crossing", sa.Column("tellings", sa.Integer(), nullable=True))
    # What happened before is not told again.
    op.execute("alter table fence_crossing no force row level security")
    op.execute(
        "update fence_crossing set stay = (stay + 1) / 2, tellings = 1, "
        "told_at = case when withdrawn_at is null then at end"
    )
    op.execute("alter table fence_crossing force row level security")
    op.alter_column("fence_crossing", "tellings", nullable=False)
    op.create_check_constraint(op.f("fence_crossing_kind_check"), "fence_crossing", f"kind in ({_KINDS_NOW})")
    op.create_unique_constraint(
        op.f("fence_crossing_org_id_fence_id_stay_kind_key"), "fence_crossing", ["org_id", "fence_id", "stay", "kind"]
    )


def _have_crossings_numbered_through() -> None:
    op.drop_constraint(op.f("fence_crossing_org_id_fence_id_stay_kind_key"), "fence_crossing")
    op.drop_constraint(op.f("fence_crossing_kind_check"), "fence_crossing")
    op.execute("alter table fence_crossing no force row level security")
    op.execute("delete from fence_crossing where kind = 'dwelt'")
    op.execute("update fence_crossing set stay = 2 * stay - case kind when 'entered' then 1 else 0 end")
    op.execute("alter table fence_crossing force row level security")
    op.drop_column("fence_crossing", "told_at")
    op.drop_column("fence_crossing", "tellings")
    op.alter_column("fence_crossing", "stay", new_column_name="ordinal")
    op.create_check_constraint(op.f("fence_crossing_kind_check"), "fence_crossing", f"kind in ({_KINDS_BEFORE})")
    op.create_unique_constraint(
        op.f("fence_crossing_org_id_fence_id_ordinal_key"), "fence_crossing", ["org_id", "fence_id", "ordinal"]
    )


def _of_organisation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["org_id"], ["organisation.id"], name=op.f(f"{table}_org_id_fkey"), ondelete="CASCADE"
    )


def _of_person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f(f"{table}_org_id_person_id_fkey")
    )
