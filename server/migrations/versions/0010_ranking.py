"""What else counts in a ranking, and how a decision came about."""

import sqlalchemy as sa
from alembic import op

from server.migrations.security import secure

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_HOW = "'manual', 'suggested', 'automatic', 'plan', 'repair', 'pool'"


def upgrade() -> None:
    # Whoever decided before this was a person, and whether they followed the suggestion was not kept.
    op.add_column("assignment_decision", sa.Column("how", sa.String(), nullable=False, server_default="manual"))
    op.alter_column("assignment_decision", "how", server_default=None)
    op.add_column("assignment_decision", sa.Column("chosen_rank", sa.Integer(), nullable=True))
    op.add_column("assignment_decision", sa.Column("plan_id", sa.Uuid(), nullable=True))
    op.add_column("assignment_decision", sa.Column("note", sa.String(), nullable=True))
    op.alter_column("assignment_decision", "decided_by", nullable=True)
    op.create_check_constraint(op.f("assignment_decision_how_check"), "assignment_decision", f"how in ({_HOW})")
    op.create_table(
        "customer_wish",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("wish", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("wish in ('preferred', 'banned')", name=op.f("customer_wish_wish_check")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["org_id", "customer_id"], ["customer.org_id", "customer.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["org_id", "engineer_id"], ["person.org_id", "person.id"]),
        sa.PrimaryKeyConstraint("org_id", "customer_id", "engineer_id"),
    )
    secure(["customer_wish"])


def downgrade() -> None:
    op.drop_table("customer_wish")
    op.execute("delete from assignment_decision where decided_by is null")
    op.alter_column("assignment_decision", "decided_by", nullable=False)
    for column in ("note", "plan_id", "chosen_rank", "how"):
        op.drop_column("assignment_decision", column)
