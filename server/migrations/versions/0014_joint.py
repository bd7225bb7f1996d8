"""Rules may choose for several orders together."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_BEFORE = "'manual', 'suggested', 'automatic', 'plan', 'repair', 'pool'"
_NOW = "'manual', 'suggested', 'automatic', 'joint', 'plan', 'repair', 'pool'"


def upgrade() -> None:
    _check(_NOW)


def downgrade() -> None:
    # Of all organisations, so without the sight of one.
    op.execute("alter table assignment_decision no force row level security")
    op.execute("update assignment_decision set how = 'automatic' where how = 'joint'")
    op.execute("alter table assignment_decision force row level security")
    _check(_BEFORE)


def _check(words: str) -> None:
    name = op.f("assignment_decision_how_check")
    op.drop_constraint(name, "assignment_decision")
    op.create_check_constraint(name, "assignment_decision", f"how in ({words})")
