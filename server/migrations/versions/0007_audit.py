"""The audit chain and sealed reports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.migrations.security import run_sql, secure

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _signatures()
    _prints()
    _chain()
    secure(
        ["audit_entry", "audit_pending", "report_pdf", "seal_certificate", "signature_superseded"],
        append_only=["audit_entry", "audit_pending", "report_pdf", "seal_certificate", "signature_superseded"],
    )
    op.execute("revoke update, delete on service_report from callout_app")
    run_sql("0007_audit.sql")


def _signatures() -> None:
    op.alter_column("signature", "rating", nullable=True)
    op.add_column("signature", sa.Column("ending", sa.String(), nullable=False, server_default="signed"))
    op.add_column("signature", sa.Column("attested", sa.String(), nullable=False, server_default="missing"))
    op.add_column("signature", sa.Column("render_hash", sa.String(), nullable=True))
    op.add_column("signature", sa.Column("package_hash", sa.String(), nullable=True))
    op.alter_column("signature", "ending", server_default=None)
    op.alter_column("signature", "attested", server_default=None)
    op.create_check_constraint(
        op.f("signature_ending_check"), "signature", "ending in ('signed', 'declined', 'absent')"
    )
    op.create_check_constraint(
        op.f("signature_attested_check"), "signature", "attested in ('verified', 'missing', 'no_key', 'invalid')"
    )
    op.create_check_constraint(
        op.f("signature_signed_with_rating_check"), "signature", "ending <> 'signed' or rating is not null"
    )
    op.create_table(
        "signature_superseded",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("signature_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("changed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["org_id", "signature_id"], ["signature.org_id", "signature.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "signature_id"),
        sa.UniqueConstraint("org_id", "id", name=op.f("signature_superseded_org_id_id_key")),
    )
    op.create_index(
        op.f("signature_superseded_org_id_work_order_id_idx"), "signature_superseded", ["org_id", "work_order_id"]
    )


def _prints() -> None:
    op.create_table(
        "seal_certificate",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("pem", sa.String(), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id"),
        sa.UniqueConstraint("org_id", "fingerprint", name=op.f("seal_certificate_org_id_fingerprint_key")),
    )
    op.create_table(
        "report_pdf",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("pdf_sha256", sa.String(), nullable=False),
        sa.Column("plain_sha256", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("level in ('none', 'B-B', 'B-T')", name=op.f("report_pdf_level_check")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["org_id", "report_id"], ["service_report.org_id", "service_report.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id"),
    )
    op.create_index(op.f("report_pdf_org_id_report_id_id_idx"), "report_pdf", ["org_id", "report_id", "id"])
    # Prints move to a table of their own: a report is never changed again, and each print stays as it was.
    op.execute(
        "insert into report_pdf (org_id, id, report_id, pdf_sha256, plain_sha256, level, created_at) "
        "select org_id, id, id, pdf_sha256, pdf_sha256, 'none', created_at from service_report"
    )
    op.drop_column("service_report", "pdf_sha256")


def _chain() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("prev_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "n"),
        sa.UniqueConstraint("org_id", "kind", "ref", name=op.f("audit_entry_org_id_kind_ref_key")),
    )
    op.create_table(
        "audit_pending",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("ticket", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "ticket"),
    )


def downgrade() -> None:
    run_sql("0007_undo.sql")
    op.drop_table("audit_pending")
    op.drop_table("audit_entry")
    op.execute("grant update, delete on service_report to callout_app")
    op.add_column("service_report", sa.Column("pdf_sha256", sa.String(), nullable=True))
    for table in ("service_report", "report_pdf"):
        op.execute(f"alter table {table} no force row level security")
    op.execute(
        "update service_report r set pdf_sha256 = (select p.pdf_sha256 from report_pdf p "
        "where p.org_id = r.org_id and p.report_id = r.id order by p.id desc limit 1)"
    )
    op.execute("alter table service_report force row level security")
    op.alter_column("service_report", "pdf_sha256", nullable=False)
    op.drop_table("report_pdf")
    op.drop_table("seal_certificate")
    op.drop_table("signature_superseded")
    op.drop_constraint("signature_signed_with_rating_check", "signature")
    op.drop_constraint("signature_attested_check", "signature")
    op.drop_constraint("signature_ending_check", "signature")
    for column in ("package_hash", "render_hash", "attested", "ending"):
        op.drop_column("signature", column)
    op.alter_column("signature", "rating", nullable=False)
