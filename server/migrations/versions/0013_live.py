"""What goes wrong during the day, and what is proposed."""

import sqlalchemy as sa
from alembic import op

from server.migrations.security import secure

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "disruption",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported_by", sa.Uuid(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind in ('delay', 'absence', 'breakdown', 'no_show', 'cancellation')", name=op.f("disruption_kind_check")
        ),
        sa.CheckConstraint("state in ('open', 'repaired', 'ignored')", name=op.f("disruption_state_check")),
        sa.CheckConstraint("until_at > from_at", name=op.f("disruption_span_check")),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("disruption_org_id_fkey"), ondelete="CASCADE"
        ),
        _belongs_to("engineer_id", "person", None),
        _belongs_to("work_order_id", "work_order", "CASCADE"),
        _belongs_to("visit_id", "visit", "CASCADE"),
        # Whoever erases a plan erases what it was made for.
        _belongs_to("plan_id", "plan", "CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("disruption_pkey")),
    )
    op.create_index("disruption_org_id_state_until_at_idx", "disruption", ["org_id", "state", "until_at"])
    op.create_index("disruption_org_id_engineer_id_until_at_idx", "disruption", ["org_id", "engineer_id", "until_at"])
    op.create_index("disruption_org_id_plan_id_idx", "disruption", ["org_id", "plan_id"])
    op.create_index(
        "disruption_once_idx",
        "disruption",
        ["org_id", "kind", "visit_id"],
        unique=True,
        postgresql_where="kind in ('no_show', 'cancellation')",
    )
    secure(["disruption"])


def _belongs_to(column: str, table: str, on_delete: str | None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["org_id", column],
        [f"{table}.org_id", f"{table}.id"],
        name=op.f(f"disruption_org_id_{column}_fkey"),
        ondelete=on_delete,
    )


def downgrade() -> None:
    op.drop_table("disruption")
