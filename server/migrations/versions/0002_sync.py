"""The change feed by statement, snapshots, epoch, durability."""

import sqlalchemy as sa
from alembic import op

from server.migrations.security import run_sql, secure

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Eight bytes that tell one state of one row from another; a bucket's checksum is all of them XORed.
_ROW_HASH = "('x' || encode(substr(sha256((entity_id::text || ':' || bv::text)::bytea), 1, 8), 'hex'))::bit(64)::bigint"


def upgrade() -> None:
    op.add_column("sync_bucket", sa.Column("writer", sa.BigInteger(), nullable=True))
    op.add_column(
        "sync_entry", sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()"))
    )
    op.add_column("sync_entry", sa.Column("h", sa.BigInteger(), sa.Computed(_ROW_HASH, persisted=True), nullable=True))
    op.create_index("sync_entry_departed_idx", "sync_entry", ["org_id", "at"], postgresql_where="op = 'd'")
    op.alter_column("sync_device_state", "epoch", type_=sa.BigInteger())
    op.add_column("sync_stream", sa.Column("durable_seq", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("sync_stream", sa.Column("mark_seq", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("sync_stream", sa.Column("mark_lsn", sa.BigInteger(), nullable=True))
    op.add_column("sync_stream", sa.Column("marked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "sync_snapshot",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("bucket_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["org_id", "bucket_id"], ["sync_bucket.org_id", "sync_bucket.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "bucket_id", "version"),
    )
    op.create_index("sync_snapshot_org_id_sha256_idx", "sync_snapshot", ["org_id", "sha256"])
    # The bytes are compressed already.
    op.execute("alter table sync_snapshot alter column content set storage external")
    secure(["sync_snapshot"])
    run_sql("0002_sync.sql")


def downgrade() -> None:
    run_sql("0002_undo.sql")
    op.drop_table("sync_snapshot")
    op.drop_column("sync_stream", "marked_at")
    op.drop_column("sync_stream", "mark_lsn")
    op.drop_column("sync_stream", "mark_seq")
    op.drop_column("sync_stream", "durable_seq")
    op.alter_column("sync_device_state", "epoch", type_=sa.Integer())
    op.drop_index("sync_entry_departed_idx", table_name="sync_entry", postgresql_where="op = 'd'")
    op.drop_column("sync_entry", "h")
    op.drop_column("sync_entry", "at")
    op.drop_column("sync_bucket", "writer")
    run_sql("0001_sync.sql")
