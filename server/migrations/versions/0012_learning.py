"""What the past teaches, proposed and accepted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.migrations.security import secure

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _policy()
    _model()
    _change()
    secure(["learning_policy", "learned_model", "weights_change"], append_only=["learning_policy", "weights_change"])


def _policy() -> None:
    op.create_table(
        "learning_policy",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("enough_orders", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("enough_orders between 1 and 10000000", name=op.f("learning_policy_enough_orders_check")),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("learning_policy_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "version", name=op.f("learning_policy_pkey")),
    )


def _model() -> None:
    op.create_table(
        "learned_model",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("trained_from", sa.Date(), nullable=False),
        sa.Column("trained_until", sa.Date(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(), nullable=False),
        sa.Column("back_test", postgresql.JSONB(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind in ('durations', 'success', 'weights')", name=op.f("learned_model_kind_check")),
        sa.CheckConstraint(
            "state in ('proposed', 'accepted', 'retired', 'rejected')", name=op.f("learned_model_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("learned_model_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "replaced"],
            ["learned_model.org_id", "learned_model.id"],
            name=op.f("learned_model_org_id_replaced_fkey"),
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("learned_model_pkey")),
        sa.UniqueConstraint("org_id", "kind", "version", name=op.f("learned_model_org_id_kind_version_key")),
    )
    op.create_index(
        "learned_model_in_force_key",
        "learned_model",
        ["org_id", "kind"],
        unique=True,
        postgresql_where=sa.text("state = 'accepted'"),
    )


def _change() -> None:
    op.create_table(
        "weights_change",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("weights_change_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "version"],
            ["score_weights.org_id", "score_weights.version"],
            name=op.f("weights_change_org_id_version_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "model_id"],
            ["learned_model.org_id", "learned_model.id"],
            name=op.f("weights_change_org_id_model_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("org_id", "version", name=op.f("weights_change_pkey")),
    )


def downgrade() -> None:
    for table in ("weights_change", "learned_model", "learning_policy"):
        op.drop_table(table)
