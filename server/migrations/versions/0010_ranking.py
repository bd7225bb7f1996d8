"""What else counts in a ranking, how a decision came about, and everything it was taken on."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.migrations.security import run_sql, secure

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_HOW = "'manual', 'suggested', 'automatic', 'plan', 'repair', 'pool'"
_OPEN = "'accepted', 'dispatched', 'on_site', 'paused', 'planned', 'suspended', 'travelling', 'working'"
_DECISION = ("how", "engineer_name", "decided_by_name", "plan_id", "chosen_rank", "note", "job")
_DECISION_JSON = ("weights", "excluded", "others")


def upgrade() -> None:
    _wishes()
    _first_fixes()
    _decisions()
    # In there organisations are told apart by the statements, and rows of all of them are filled.
    run_sql("0010_ranking.sql")
    op.alter_column("assignment_decision", "how", server_default=None)
    _indexes()


def _decisions() -> None:
    for column in (
        sa.Column("how", sa.String(), nullable=False, server_default="manual"),
        sa.Column("engineer_name", sa.String(), nullable=False, server_default=""),
        sa.Column("decided_by_name", sa.String(), nullable=True),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("chosen_rank", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("job", postgresql.JSONB(), nullable=True),
        _json("weights", "{}"),
        _json("excluded", "[]"),
        _json("others", '{"candidates": [], "excluded": []}'),
    ):
        op.add_column("assignment_decision", column)
    op.alter_column("assignment_decision", "decided_by", nullable=True)
    op.create_check_constraint(op.f("assignment_decision_how_check"), "assignment_decision", f"how in ({_HOW})")


def _json(name: str, empty: str) -> sa.Column[Any]:
    return sa.Column(name, postgresql.JSONB(), nullable=False, server_default=sa.text(f"'{empty}'"))


def _wishes() -> None:
    op.create_table(
        "customer_wish",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("wish", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("wish in ('preferred', 'banned')", name=op.f("customer_wish_wish_check")),
        *_references("customer_wish"),
        sa.PrimaryKeyConstraint("org_id", "customer_id", "engineer_id"),
    )
    secure(["customer_wish"])


def _first_fixes() -> None:
    op.create_table(
        "first_fix",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("problem_type", sa.String(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("tried", sa.Integer(), nullable=False),
        sa.Column("fixed", sa.Integer(), nullable=False),
        sa.CheckConstraint("fixed between 0 and tried", name=op.f("first_fix_fixed_check")),
        *_references("first_fix"),
        sa.PrimaryKeyConstraint("org_id", "problem_type", "engineer_id"),
    )
    secure(["first_fix"])


def _references(table: str) -> tuple[sa.ForeignKeyConstraint, ...]:
    return (
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["org_id", "engineer_id"], ["person.org_id", "person.id"], name=op.f(f"{table}_org_id_engineer_id_fkey")
        ),
    )


def _indexes() -> None:
    op.create_index(
        "visit_open_idx",
        "visit",
        ["org_id", "engineer_id", "planned_start"],
        postgresql_include=["planned_end", "state", "work_order_id"],
        postgresql_where=sa.text(f"engineer_id is not null and state in ({_OPEN})"),
    )
    op.create_index(
        op.f("shift_org_id_ends_at_starts_at_person_id_idx"), "shift", ["org_id", "ends_at", "starts_at", "person_id"]
    )
    op.create_index(
        "shift_rest_idx",
        "shift",
        ["org_id", "ends_at"],
        postgresql_where=sa.text("break_minutes is not null or overtime_minutes > 0"),
    )
    op.create_index(
        op.f("engineer_skill_org_id_skill_id_idx"),
        "engineer_skill",
        ["org_id", "skill_id"],
        postgresql_include=["person_id", "level", "valid_until"],
    )


def downgrade() -> None:
    op.drop_index(op.f("engineer_skill_org_id_skill_id_idx"), table_name="engineer_skill")
    op.drop_index("shift_rest_idx", table_name="shift")
    op.drop_index(op.f("shift_org_id_ends_at_starts_at_person_id_idx"), table_name="shift")
    op.drop_index("visit_open_idx", table_name="visit")
    run_sql("0010_undo.sql")
    op.alter_column("assignment_decision", "decided_by", nullable=False)
    for column in (*_DECISION, *_DECISION_JSON):
        op.drop_column("assignment_decision", column)
    op.drop_table("first_fix")
    op.drop_table("customer_wish")
