"""Push: where devices are reached, for how long a message is worth telling, how channels are doing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.migrations.security import run_sql, secure

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_STATES_BEFORE = "'waiting', 'sent', 'failed'"
_STATES = "'waiting', 'sent', 'failed', 'expired', 'quarantined'"


def upgrade() -> None:
    _messages()
    _endpoints()
    _health()
    secure(["push_endpoint", "push_health"])
    run_sql("0016_push.sql")


def _messages() -> None:
    # With defaults: servers of the version before go on writing messages meanwhile.
    day = sa.text("now() + interval '24 hours'")
    op.add_column("message", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, server_default=day))
    none = sa.text("'{}'")
    op.add_column("message", sa.Column("reached", postgresql.ARRAY(sa.Uuid()), nullable=False, server_default=none))
    waiting = sa.text("state = 'waiting'")
    op.create_index("message_due_idx", "message", ["next_try_at"], postgresql_where=waiting)
    op.create_index(
        "message_settled_idx", "message", ["org_id", "created_at"], postgresql_where=sa.text("state <> 'waiting'")
    )
    _check_states(_STATES)


def _check_states(states: str) -> None:
    name = op.f("message_state_check")
    op.drop_constraint(name, "message")
    op.create_check_constraint(name, "message", f"state in ({states})")


def _endpoints() -> None:
    op.create_table(
        "push_endpoint",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("address_hash", sa.String(), nullable=False),
        sa.Column("p256dh", sa.String(), nullable=True),
        sa.Column("auth", sa.String(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('fcm', 'webpush')", name=op.f("push_endpoint_kind_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "device_id"],
            ["device.org_id", "device.id"],
            name=op.f("push_endpoint_org_id_device_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("push_endpoint_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("push_endpoint_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("push_endpoint_pkey")),
        sa.UniqueConstraint("address_hash", name=op.f("push_endpoint_address_hash_key")),
        sa.UniqueConstraint("org_id", "device_id", name=op.f("push_endpoint_org_id_device_id_key")),
    )
    op.create_index(op.f("push_endpoint_org_id_person_id_idx"), "push_endpoint", ["org_id", "person_id"])


def _health() -> None:
    op.create_table(
        "push_health",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("endpoints_gone", sa.BigInteger(), nullable=False),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("rate_per_s", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("push_health_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "channel", name=op.f("push_health_pkey")),
    )


def downgrade() -> None:
    run_sql("0016_undo.sql")
    op.drop_table("push_health")
    op.drop_table("push_endpoint")
    # Of all organisations, so without the sight of one.
    op.execute("alter table message no force row level security")
    op.execute("update message set state = 'failed' where state in ('expired', 'quarantined')")
    op.execute("alter table message force row level security")
    _check_states(_STATES_BEFORE)
    op.drop_index("message_settled_idx", table_name="message")
    op.drop_index("message_due_idx", table_name="message")
    op.drop_column("message", "reached")
    op.drop_column("message", "expires_at")
