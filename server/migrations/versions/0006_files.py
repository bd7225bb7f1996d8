"""Quotas, who holds which file, small copies of photos, missing files."""

import sqlalchemy as sa
from alembic import op

from server.migrations.security import secure

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _files()
    _pictures()
    _photos()
    secure(["blob_holder", "picture", "blob_usage"])


def _now() -> sa.TextClause:
    return sa.text("now()")


def _files() -> None:
    op.add_column("blob", sa.Column("staged", sa.Text(), nullable=False, server_default=""))
    op.add_column("blob", sa.Column("device_id", sa.Uuid(), nullable=True))
    op.add_column("blob", sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False, server_default=_now()))
    op.create_index("blob_org_id_created_at_idx", "blob", ["org_id", "created_at"])
    op.create_index("blob_org_id_device_id_created_at_idx", "blob", ["org_id", "device_id", "created_at"])
    op.create_index("blob_org_id_state_touched_at_idx", "blob", ["org_id", "state", "touched_at"])
    op.create_table(
        "blob_holder",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("blob_holder_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "sha256"],
            ["blob.org_id", "blob.sha256"],
            name=op.f("blob_holder_org_id_sha256_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_id", "sha256", "person_id", name=op.f("blob_holder_pkey")),
    )
    op.create_index("blob_holder_org_id_person_id_idx", "blob_holder", ["org_id", "person_id"])
    op.create_table(
        "blob_usage",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("blob_usage_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", name=op.f("blob_usage_pkey")),
    )


def _pictures() -> None:
    op.create_table(
        "picture",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("blurhash", sa.String(), nullable=True),
        sa.Column("thumb_sha256", sa.String(), nullable=True),
        sa.Column("view_sha256", sa.String(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('derived', 'undecodable')", name=op.f("picture_state_check")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("picture_org_id_fkey"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["org_id", "sha256"],
            ["blob.org_id", "blob.sha256"],
            name=op.f("picture_org_id_sha256_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_id", "sha256", name=op.f("picture_pkey")),
    )


def _photos() -> None:
    op.add_column("photo", sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False, server_default=_now()))
    # Photos from before start as pending: the tidying job finds their bytes and says what they are.
    op.add_column("photo", sa.Column("state", sa.Text(), nullable=False, server_default="pending_blob"))
    op.add_column("photo", sa.Column("undecodable_why", sa.String(), nullable=True))
    op.add_column("photo", sa.Column("width", sa.Integer(), nullable=True))
    op.add_column("photo", sa.Column("height", sa.Integer(), nullable=True))
    op.add_column("photo", sa.Column("blurhash", sa.String(), nullable=True))
    op.add_column("photo", sa.Column("missing_told_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("photo_state_check"), "photo", "state in ('pending_blob', 'ready', 'derived', 'undecodable')"
    )
    op.create_index(
        "photo_unsettled_idx",
        "photo",
        ["org_id", "author_id"],
        postgresql_where=sa.text("state in ('pending_blob', 'ready')"),
    )


def downgrade() -> None:
    op.drop_index("photo_unsettled_idx", "photo")
    op.drop_constraint(op.f("photo_state_check"), "photo")
    for column in ("recorded_at", "state", "undecodable_why", "width", "height", "blurhash", "missing_told_at"):
        op.drop_column("photo", column)
    for table in ("picture", "blob_usage", "blob_holder"):
        op.drop_table(table)
    for index in ("org_id_created_at", "org_id_device_id_created_at", "org_id_state_touched_at"):
        op.drop_index(f"blob_{index}_idx", "blob")
    for column in ("staged", "device_id", "touched_at"):
        op.drop_column("blob", column)
