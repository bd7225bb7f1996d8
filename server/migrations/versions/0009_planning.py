"""Plans are made as jobs and kept with what they were made from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.migrations.security import run_sql, secure

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES = ["work_order_window", "work_order_link", "planning_policy", "plan", "plan_part", "plan_line", "route"]


def upgrade() -> None:
    _describe_work()
    _plans()
    op.create_table(
        "route",
        *_record(),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        _instant("leaves_at", nullable=False),
        _instant("rests_at"),
        _instant("returns_at", nullable=False),
        sa.Column("stops", postgresql.JSONB(), nullable=False),
        _instant("made_at", nullable=False),
        _belongs_to("id", "shift", ondelete="CASCADE"),
        _belongs_to("person_id", "person"),
        sa.PrimaryKeyConstraint("org_id", "id"),
    )
    op.create_index(op.f("route_org_id_person_id_leaves_at_idx"), "route", ["org_id", "person_id", "leaves_at"])
    secure(_TABLES)
    run_sql("0009_planning.sql")


def _describe_work() -> None:
    op.add_column("engineer", sa.Column("pace_percent", sa.Integer(), nullable=False, server_default="100"))
    op.create_check_constraint(op.f("engineer_pace_check"), "engineer", "pace_percent between 25 and 400")
    op.add_column("shift", _instant("break_opens"))
    op.add_column("shift", _instant("break_closes"))
    op.add_column("shift", sa.Column("break_minutes", sa.Integer(), nullable=True))
    op.add_column("shift", sa.Column("overtime_minutes", sa.Integer(), nullable=False, server_default="0"))
    op.create_check_constraint(
        op.f("shift_break_whole_check"), "shift", "num_nonnulls(break_opens, break_closes, break_minutes) in (0, 3)"
    )
    op.create_check_constraint(op.f("shift_break_check"), "shift", "break_opens <= break_closes and break_minutes > 0")
    op.create_check_constraint(op.f("shift_overtime_check"), "shift", "overtime_minutes between 0 and 720")
    op.add_column("visit", sa.Column("pin", sa.String(), nullable=True))
    op.create_check_constraint(op.f("visit_pin_check"), "visit", "pin in ('engineer', 'time')")
    op.create_table(
        "work_order_window",
        *_record(),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        _instant("opens_at", nullable=False),
        _instant("closes_at", nullable=False),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("work_order_window_order_check")),
        _belongs_to("work_order_id", "work_order", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id"),
    )
    op.create_index(
        op.f("work_order_window_org_id_work_order_id_idx"), "work_order_window", ["org_id", "work_order_id"]
    )
    op.create_table(
        "work_order_link",
        *_record(),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("then_id", sa.Uuid(), nullable=False),
        sa.Column("gap_minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind in ('together', 'before')", name=op.f("work_order_link_kind_check")),
        sa.CheckConstraint("first_id <> then_id", name=op.f("work_order_link_two_check")),
        sa.CheckConstraint(
            "gap_minutes between 0 and 100000 and (gap_minutes = 0 or kind = 'before')",
            name=op.f("work_order_link_gap_check"),
        ),
        _belongs_to("first_id", "work_order", ondelete="CASCADE"),
        _belongs_to("then_id", "work_order", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id"),
        sa.UniqueConstraint("org_id", "first_id", "then_id", name=op.f("work_order_link_org_id_first_id_then_id_key")),
    )
    op.create_index(op.f("work_order_link_org_id_then_id_idx"), "work_order_link", ["org_id", "then_id"])


def _plans() -> None:
    op.create_table(
        "planning_policy",
        *_record(),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("values", postgresql.JSONB(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        _instant("created_at", nullable=False),
        sa.PrimaryKeyConstraint("org_id", "id"),
        sa.UniqueConstraint("org_id", "version", name=op.f("planning_policy_org_id_version_key")),
    )
    op.create_table(
        "plan",
        *_record(),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        _instant("begins", nullable=False),
        _instant("until", nullable=False),
        sa.Column("territories", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("engineers", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("effort", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("cause", postgresql.JSONB(), nullable=True),
        _instant("asked_at", nullable=False),
        _instant("ready_at"),
        _instant("ended_at"),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("picture", postgresql.JSONB(), nullable=True),
        sa.Column("outcome", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("kind in ('day', 'repair')", name=op.f("plan_kind_check")),
        sa.CheckConstraint(
            "state in ('queued', 'running', 'ready', 'applying', 'done', 'cancelled', 'failed')",
            name=op.f("plan_state_check"),
        ),
        sa.CheckConstraint("effort in ('quick', 'normal', 'thorough')", name=op.f("plan_effort_check")),
        sa.CheckConstraint("until > begins", name=op.f("plan_span_check")),
        sa.PrimaryKeyConstraint("org_id", "id"),
    )
    op.create_index(op.f("plan_org_id_state_id_idx"), "plan", ["org_id", "state", "id"])
    op.create_table(
        "plan_part",
        _org(),
        _org_reference(),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("orders", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("shifts", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("sequences", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'solved')", name=op.f("plan_part_state_check")),
        _belongs_to("plan_id", "plan", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "plan_id", "number"),
    )
    op.create_table(
        "plan_line",
        _org(),
        _org_reference(),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("from_engineer_id", sa.Uuid(), nullable=True),
        _instant("from_start"),
        _instant("from_end"),
        sa.Column("to_engineer_id", sa.Uuid(), nullable=True),
        _instant("to_start"),
        _instant("to_end"),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.CheckConstraint(
            "change in ('assign', 'move', 'retime', 'keep', 'unassign', 'leave_out')",
            name=op.f("plan_line_change_check"),
        ),
        sa.CheckConstraint(
            "state in ('proposed', 'accepted', 'applied', 'overtaken', 'refused', 'declined', 'undone')",
            name=op.f("plan_line_state_check"),
        ),
        _belongs_to("plan_id", "plan", ondelete="CASCADE"),
        _belongs_to("work_order_id", "work_order", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "plan_id", "work_order_id"),
    )
    op.create_index(op.f("plan_line_org_id_work_order_id_idx"), "plan_line", ["org_id", "work_order_id"])


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.execute("drop function if exists sync_touch_42")
    op.drop_column("visit", "pin")
    for column in ("overtime_minutes", "break_minutes", "break_closes", "break_opens"):
        op.drop_column("shift", column)
    op.drop_column("engineer", "pace_percent")


def _org() -> sa.Column[object]:
    return sa.Column("org_id", sa.Uuid(), nullable=False)


def _org_reference() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], ondelete="CASCADE")


def _record() -> tuple[sa.schema.SchemaItem, ...]:
    return _org(), sa.Column("id", sa.Uuid(), nullable=False), _org_reference()


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _belongs_to(column: str, table: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["org_id", column], [f"{table}.org_id", f"{table}.id"], ondelete=ondelete)
