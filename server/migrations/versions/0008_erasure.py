"""What was rightfully erased is on record."""

import sqlalchemy as sa
from alembic import op

from server.migrations.security import run_sql, secure

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_erasure",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("erased_by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind <> 'erasure'", name=op.f("audit_erasure_kind_check")),
        sa.CheckConstraint("why <> '' and erased_by <> ''", name=op.f("audit_erasure_said_check")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id"),
        sa.UniqueConstraint("org_id", "kind", "ref", name=op.f("audit_erasure_org_id_kind_ref_key")),
    )
    op.create_index(op.f("audit_erasure_org_id_number_idx"), "audit_erasure", ["org_id", "number"])
    secure(["audit_erasure"], append_only=["audit_erasure"])
    run_sql("0008_erasure.sql")
    # The ledger outlives the order: its rows are sealed with the order they were for, and their sum must stay zero.
    op.drop_constraint("stock_movement_org_id_work_order_id_fkey", "stock_movement", type_="foreignkey")


def downgrade() -> None:
    run_sql("0008_undo.sql")
    op.drop_table("audit_erasure")
