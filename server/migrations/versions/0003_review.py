"""Devices, rescue, review of conflicts and quarantine."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.migrations.security import run_sql, secure

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    "review_item",
    "review",
    "rescue",
    "refused_push",
    "device_health",
    "device_clock",
    "device_alert",
    "device_manifest",
)


def upgrade() -> None:
    op.add_column("conflict", sa.Column("work_order_id", sa.Uuid(), nullable=True))
    op.add_column("device", sa.Column("wiped_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "review_item",
        *_record(),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("mutation_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind in ('conflict', 'quarantine')", name=op.f("review_item_kind_check")),
        sa.CheckConstraint("state in ('open', 'settled')", name=op.f("review_item_state_check")),
        *_keys("review_item", ("mutation_id", "mutation_log", None)),
    )
    op.create_index("review_item_inbox_idx", "review_item", ["org_id", "state", "opened_at", "id"])
    op.create_index("review_item_person_idx", "review_item", ["org_id", "person_id", "opened_at"])
    op.create_index(
        "review_item_order_idx",
        "review_item",
        ["org_id", "work_order_id"],
        postgresql_where="work_order_id is not null",
    )
    op.create_index("review_item_device_idx", "review_item", ["org_id", "device_id"], postgresql_where="state = 'open'")
    op.create_index("review_item_org_id_mutation_id_idx", "review_item", ["org_id", "mutation_id"])
    op.create_table(
        "review",
        *_record(),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_keys("review", ("item_id", "review_item", None)),
    )
    op.create_index("review_org_id_item_id_at_idx", "review", ["org_id", "item_id", "at"])
    op.create_table(
        "rescue",
        *_record(),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("brought_by", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_keys("rescue", ("device_id", "device", None)),
    )
    op.create_index("rescue_org_id_device_id_at_idx", "rescue", ["org_id", "device_id", "at"])
    op.create_table(
        "refused_push",
        *_record(),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        *_keys("refused_push", ("device_id", "device", "CASCADE")),
        sa.UniqueConstraint("org_id", "device_id", "sha256", name=op.f("refused_push_org_id_device_id_sha256_key")),
    )
    op.create_table(
        "device_health",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("unsent_count", sa.BigInteger(), nullable=False),
        sa.Column("unsent_bytes", sa.BigInteger(), nullable=False),
        sa.Column("oldest_unsent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("files_waiting", sa.BigInteger(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("storage_persisted", sa.Boolean(), nullable=False),
        sa.Column("quota_bytes", sa.BigInteger(), nullable=True),
        sa.Column("used_bytes", sa.BigInteger(), nullable=True),
        sa.Column("clock_offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("storage_cleared_at", sa.DateTime(timezone=True), nullable=True),
        *_keys("device_health", ("device_id", "device", "CASCADE"), key=("device_id",)),
    )
    op.create_table(
        "device_clock",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("boot", sa.String(), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        *_keys("device_clock", ("device_id", "device", "CASCADE"), key=("device_id", "boot")),
    )
    op.create_table(
        "device_alert",
        *_record(),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('unsent_too_long', 'quarantine', 'verify_mismatch', 'refused_push', 'too_many_rows', "
            "'storage_cleared')",
            name=op.f("device_alert_kind_check"),
        ),
        *_keys("device_alert", ("device_id", "device", "CASCADE")),
    )
    op.create_index(
        "device_alert_open_idx",
        "device_alert",
        ["org_id", "device_id", "kind"],
        unique=True,
        postgresql_where="cleared_at is null",
    )
    op.create_table(
        "device_manifest",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("buckets", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        *_keys("device_manifest", ("device_id", "device", "CASCADE"), key=("device_id",)),
    )
    secure(TABLES, append_only=("review", "rescue", "device_manifest"))
    run_sql("0003_review.sql")


def _record() -> tuple[sa.Column[object], ...]:
    return (sa.Column("org_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False))


def _keys(
    table: str, parent: tuple[str, str, str | None], *, key: tuple[str, ...] = ("id",)
) -> tuple[sa.Constraint, ...]:
    column, target, on_delete = parent
    return (
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f(f"{table}_org_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["org_id", column],
            [f"{target}.org_id", f"{target}.id"],
            name=op.f(f"{table}_org_id_{column}_fkey"),
            ondelete=on_delete,
        ),
        sa.PrimaryKeyConstraint("org_id", *key, name=op.f(f"{table}_pkey")),
    )


def downgrade() -> None:
    run_sql("0003_undo.sql")
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("device", "wiped_at")
    op.drop_column("conflict", "work_order_id")
