"""Conflict rules of work orders, sites and assets."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.migrations.security import run_sql, secure

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ORDER_STATES = [
    "new",
    "triaged",
    "scheduled",
    "dispatched",
    "accepted",
    "travelling",
    "on_site",
    "working",
    "on_hold",
    "resolved",
    "awaiting_confirmation",
    "closed",
    "cancelled",
    "reopened",
]
_VISIT_STATES = [
    "planned",
    "dispatched",
    "accepted",
    "travelling",
    "on_site",
    "working",
    "paused",
    "completed",
    "interrupted",
    "declined",
    "cancelled",
]
_LATER_ORDER_STATES = ["completed_disputed"]
_LATER_VISIT_STATES = ["suspended"]


def _among(table: str, column: str, values: list[str]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    op.execute(f"alter table {table} drop constraint if exists {table}_{column}_check")
    op.execute(f"alter table {table} add constraint {table}_{column}_check check ({column} in ({listed}))")


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.String(), nullable=False, server_default="")


def _instant(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _columns() -> dict[str, list[sa.Column[Any]]]:
    return {
        "work_order": [
            _text("findings"),
            sa.Column("description_rev", sa.Integer(), nullable=False, server_default="1"),
            sa.Column("findings_rev", sa.Integer(), nullable=False, server_default="1"),
            _instant("voided_at"),
            sa.Column("voided_by", sa.Uuid(), nullable=True),
            sa.Column("void_reason", sa.String(), nullable=True),
        ],
        "visit": [
            sa.Column("field_state", sa.String(), nullable=False, server_default="planned"),
            _instant("begun_at"),
        ],
        "checklist_answer": [
            sa.Column("disputed", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("stream_id", sa.Uuid(), nullable=True),
            sa.Column("seq", sa.BigInteger(), nullable=True),
        ],
        "procedure_item": [sa.Column("safety_critical", sa.Boolean(), nullable=False, server_default=sa.false())],
        "time_entry": [
            _instant("device_started_at"),
            _instant("device_ended_at"),
            sa.Column("uncertainty_ms", sa.Integer(), nullable=True),
            sa.Column("started_zone", sa.String(), nullable=True),
            sa.Column("ended_zone", sa.String(), nullable=True),
            sa.Column("boot", sa.String(), nullable=True),
            sa.Column("mono_ms", sa.Float(), nullable=True),
            sa.Column("flags", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}"),
            sa.Column("revision", sa.Integer(), nullable=False, server_default="1"),
            sa.Column("superseded_by", sa.Uuid(), nullable=True),
            _instant("approved_at"),
            sa.Column("approved_by", sa.Uuid(), nullable=True),
        ],
        "site": [_text("meter_location")],
        "asset": [sa.Column("twin_of", sa.Uuid(), nullable=True)],
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.execute("update visit set field_state = state")
    _among("work_order", "state", _ORDER_STATES + _LATER_ORDER_STATES)
    _among("visit", "state", _VISIT_STATES + _LATER_VISIT_STATES)
    _among("visit", "field_state", _VISIT_STATES + _LATER_VISIT_STATES)
    op.drop_constraint("checklist_answer_org_id_item_id_fkey", "checklist_answer", type_="foreignkey")
    op.drop_constraint("asset_org_id_product_serial_key", "asset", type_="unique")
    op.create_index(
        "asset_serial_key",
        "asset",
        ["org_id", "product", "serial"],
        unique=True,
        postgresql_where=sa.text("twin_of is null"),
    )
    _create_tables()
    secure(["text_revision", "merge_suggestion", "alias"], append_only=["text_revision"])
    run_sql("0004_rules.sql")


def _create_tables() -> None:
    op.create_table(
        "text_revision",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("parent", sa.Integer(), nullable=True),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("mutation_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("field in ('description', 'findings')", name=op.f("text_revision_field_check")),
        sa.CheckConstraint(
            "origin in ('first', 'edit', 'merge', 'elsewhere')", name=op.f("text_revision_origin_check")
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("text_revision_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "work_order_id"],
            ["work_order.org_id", "work_order.id"],
            name=op.f("text_revision_org_id_work_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("text_revision_pkey")),
        sa.UniqueConstraint(
            "org_id", "work_order_id", "field", "rev", name=op.f("text_revision_org_id_work_order_id_field_rev_key")
        ),
    )
    op.create_table(
        "merge_suggestion",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("newer_id", sa.Uuid(), nullable=False),
        sa.Column("older_id", sa.Uuid(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settlement", sa.String(), nullable=True),
        sa.CheckConstraint("entity in ('asset', 'customer')", name=op.f("merge_suggestion_entity_check")),
        sa.CheckConstraint(
            "why in ('same_serial', 'misread_serial', 'same_contact', 'same_name')",
            name=op.f("merge_suggestion_why_check"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("merge_suggestion_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("merge_suggestion_pkey")),
        sa.UniqueConstraint(
            "org_id",
            "entity",
            "newer_id",
            "older_id",
            name=op.f("merge_suggestion_org_id_entity_newer_id_older_id_key"),
        ),
    )
    op.create_index(
        "merge_suggestion_open_idx",
        "merge_suggestion",
        ["org_id", "id"],
        postgresql_where=sa.text("settled_at is null"),
    )
    op.create_table(
        "alias",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("now_id", sa.Uuid(), nullable=False),
        sa.Column("was", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("entity in ('asset', 'customer')", name=op.f("alias_entity_check")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("alias_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("alias_pkey")),
    )


def downgrade() -> None:
    run_sql("0004_undo.sql")
    for table in ("alias", "merge_suggestion", "text_revision"):
        op.drop_table(table)
    op.drop_index("asset_serial_key", "asset")
    op.create_unique_constraint("asset_org_id_product_serial_key", "asset", ["org_id", "product", "serial"])
    op.create_foreign_key(
        "checklist_answer_org_id_item_id_fkey",
        "checklist_answer",
        "procedure_item",
        ["org_id", "item_id"],
        ["org_id", "id"],
    )
    op.execute("alter table visit drop constraint visit_field_state_check")
    _among("visit", "state", _VISIT_STATES)
    _among("work_order", "state", _ORDER_STATES)
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
