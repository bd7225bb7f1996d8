"""Orders that assign themselves, and the open pool."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.migrations.security import run_sql, secure

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = ("assignment_rule", "assignment_rule_version", "assignment_attempt", "pool_offer", "pool_visible")
_OUTCOMES = "'assigned', 'waiting', 'pooled', 'limits_not_met', 'nobody', 'left'"
_ENDINGS = "'taken', 'assigned', 'withdrawn', 'expired'"


def upgrade() -> None:
    _make_rules()
    _make_attempt()
    _make_pool()
    secure(TABLES, append_only=("assignment_rule_version",))
    run_sql("0011_pool.sql")


def _make_rules() -> None:
    op.create_table(
        "assignment_rule",
        *_record(),
        sa.Column("position", sa.Integer(), nullable=False),
        _instant("deleted_at", nullable=True),
        *_keys("assignment_rule"),
    )
    op.create_table(
        "assignment_rule_version",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("conditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("limits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("treatment", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        _instant("created_at"),
        *_keys("assignment_rule_version", ("rule_id", "assignment_rule", "CASCADE"), key=("rule_id", "version")),
    )


def _make_attempt() -> None:
    op.create_table(
        "assignment_attempt",
        *_record(),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        _instant("at"),
        _instant("until", nullable=True),
        _instant("over_at", nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("engineer_id", sa.Uuid(), nullable=True),
        sa.Column("limits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(f"outcome in ({_OUTCOMES})", name=op.f("assignment_attempt_outcome_check")),
        sa.CheckConstraint("(outcome = 'waiting') = (until is not null)", name=op.f("assignment_attempt_until_check")),
        sa.CheckConstraint("over_at is null or outcome = 'waiting'", name=op.f("assignment_attempt_over_check")),
        _under_rule("assignment_attempt"),
        *_keys("assignment_attempt", ("work_order_id", "work_order", "CASCADE")),
    )
    op.create_index(
        "assignment_attempt_org_id_work_order_id_at_idx", "assignment_attempt", ["org_id", "work_order_id", "at"]
    )
    op.create_index(
        "assignment_attempt_waiting_idx",
        "assignment_attempt",
        ["org_id", "work_order_id"],
        unique=True,
        postgresql_where="outcome = 'waiting' and over_at is null",
    )
    op.create_index(
        "assignment_attempt_event_idx",
        "assignment_attempt",
        ["org_id", "event_id"],
        postgresql_where="event_id is not null",
    )


def _make_pool() -> None:
    op.create_table(
        "pool_offer",
        *_record(),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        _instant("opened_at"),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("rule_id", sa.Uuid(), nullable=True),
        sa.Column("rule_version", sa.Integer(), nullable=True),
        _instant("closes_at"),
        _instant("ended_at", nullable=True),
        sa.Column("ending", sa.String(), nullable=True),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint(f"ending in ({_ENDINGS})", name=op.f("pool_offer_ending_check")),
        sa.CheckConstraint("num_nonnulls(opened_by, rule_id) = 1", name=op.f("pool_offer_opened_check")),
        sa.CheckConstraint("(ended_at is null) = (ending is null)", name=op.f("pool_offer_ended_check")),
        sa.CheckConstraint(
            "(taken_by is not null) = (ending is not distinct from 'taken')", name=op.f("pool_offer_taken_check")
        ),
        _under_rule("pool_offer"),
        *_keys("pool_offer", ("work_order_id", "work_order", "CASCADE"), ("taken_by", "person", None)),
    )
    op.create_index("pool_offer_org_id_work_order_id_idx", "pool_offer", ["org_id", "work_order_id"])
    op.create_index(
        "pool_offer_open_idx",
        "pool_offer",
        ["org_id", "work_order_id"],
        unique=True,
        postgresql_where="ended_at is null",
    )
    op.create_table(
        "pool_visible",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        *_keys(
            "pool_visible",
            ("offer_id", "pool_offer", "CASCADE"),
            ("person_id", "person", None),
            key=("offer_id", "person_id"),
        ),
    )


def _record() -> tuple[sa.Column[object], ...]:
    return (sa.Column("org_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False))


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _under_rule(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["org_id", "rule_id", "rule_version"],
        ["assignment_rule_version.org_id", "assignment_rule_version.rule_id", "assignment_rule_version.version"],
        name=op.f(f"{table}_org_id_rule_id_rule_version_fkey"),
    )


def _keys(
    table: str, *parents: tuple[str, str, str | None], key: tuple[str, ...] = ("id",)
) -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f(f"{table}_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", *key, name=op.f(f"{table}_pkey")),
        *(
            sa.ForeignKeyConstraint(
                ["org_id", column],
                [f"{target}.org_id", f"{target}.id"],
                name=op.f(f"{table}_org_id_{column}_fkey"),
                ondelete=on_delete,
            )
            for column, target, on_delete in parents
        ),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("drop function sync_touch_41")
