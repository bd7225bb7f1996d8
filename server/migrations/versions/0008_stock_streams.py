"""Movements and counts remember the stream they came by: a sequence orders only what one stream told."""

import sqlalchemy as sa
from alembic import op

from server.migrations.security import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stock_movement", sa.Column("stream_id", sa.Uuid(), nullable=True))
    op.add_column("stock_count", sa.Column("stream_id", sa.Uuid(), nullable=True))
    run_sql("0008_stock_streams.sql")


def downgrade() -> None:
    run_sql("0008_undo.sql")
    op.drop_column("stock_count", "stream_id")
    op.drop_column("stock_movement", "stream_id")
