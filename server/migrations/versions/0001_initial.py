"""The first schema: organisations, people, customers, work orders, stock, sync, files, positions, reports."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geography
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

from server.migrations.security import run_sql, secure

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = [
    "organisation",
    "blob",
    "customer",
    "event",
    "idempotency_key",
    "part",
    "person",
    "procedure",
    "score_weights",
    "skill",
    "sync_bucket",
    "territory",
    "work_order_counter",
    "api_key",
    "device",
    "engineer",
    "engineer_skill",
    "fence",
    "message",
    "position_last",
    "procedure_item",
    "shift",
    "site",
    "stock_location",
    "sync_entry",
    "asset",
    "contact",
    "enrolment_code",
    "fence_crossing",
    "position_track",
    "session",
    "stock",
    "sync_device_state",
    "sync_stream",
    "mutation_log",
    "refresh_token",
    "work_order",
    "checklist_answer",
    "conflict",
    "cost",
    "note",
    "photo",
    "signature",
    "stock_movement",
    "time_entry",
    "timeline_entry",
    "visit",
    "work_order_skill",
    "assignment_decision",
    "service_report",
]
# What happened stays as it was written.
APPEND_ONLY = [
    "event",
    "timeline_entry",
    "mutation_log",
    "stock_movement",
    "signature",
    "assignment_decision",
    "score_weights",
]


def upgrade() -> None:
    run_sql("0001_organisation.sql")
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("organisation_pkey")),
        sa.UniqueConstraint("slug", name=op.f("organisation_slug_key")),
    )
    op.create_table(
        "blob",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mime", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('pending', 'ready')", name=op.f("blob_state_check")),
        sa.CheckConstraint("received between 0 and size", name=op.f("blob_received_check")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("blob_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "sha256", name=op.f("blob_pkey")),
    )
    op.create_table(
        "customer",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("tier in ('standard', 'vip')", name=op.f("customer_tier_check")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("customer_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("customer_pkey")),
        sa.UniqueConstraint("org_id", "number", name=op.f("customer_org_id_number_key")),
    )
    op.create_table(
        "event",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("event_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("event_pkey")),
    )
    op.create_index("event_org_position_idx", "event", ["org_id", "position"], unique=False)
    op.create_index("event_unrelayed_idx", "event", ["id"], unique=False, postgresql_where="position is null")
    op.create_table(
        "idempotency_key",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_hash", sa.String(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("idempotency_key_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "caller", "key", name=op.f("idempotency_key_pkey")),
    )
    op.create_table(
        "part",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("serial_tracked", sa.Boolean(), nullable=False),
        sa.Column("price_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("part_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("part_pkey")),
        sa.UniqueConstraint("org_id", "sku", name=op.f("part_org_id_sku_key")),
    )
    op.create_table(
        "person",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "roles <@ array['service_agent', 'dispatcher', 'engineer', 'partner_engineer', 'team_lead', 'service_manager', 'warehouse_clerk', 'auditor', 'administrator']::text[]",
            name=op.f("person_roles_check"),
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("person_email_lower_check")),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("person_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("person_pkey")),
        sa.UniqueConstraint("org_id", "email", name=op.f("person_org_id_email_key")),
    )
    op.create_index("person_email_idx", "person", ["email"], unique=False)
    op.create_table(
        "procedure",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("procedure_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("procedure_pkey")),
        sa.UniqueConstraint("org_id", "key", "version", name=op.f("procedure_org_id_key_version_key")),
    )
    op.create_table(
        "score_weights",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("weights", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("score_weights_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("score_weights_pkey")),
        sa.UniqueConstraint("org_id", "version", name=op.f("score_weights_org_id_version_key")),
    )
    op.create_table(
        "skill",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("skill_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("skill_pkey")),
        sa.UniqueConstraint("org_id", "key", name=op.f("skill_org_id_key_key")),
    )
    op.create_table(
        "sync_bucket",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("min_version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("sync_bucket_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("sync_bucket_pkey")),
        sa.UniqueConstraint("org_id", "key", name=op.f("sync_bucket_org_id_key_key")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "territory",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("area", Geography("POLYGON", 4326, spatial_index=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("territory_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("territory_pkey")),
        sa.UniqueConstraint("org_id", "name", name=op.f("territory_org_id_name_key")),
    )
    op.create_table(
        "work_order_counter",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("work_order_counter_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", name=op.f("work_order_counter_pkey")),
    )
    op.create_table(
        "api_key",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "created_by"], ["person.org_id", "person.id"], name=op.f("api_key_org_id_created_by_fkey")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("api_key_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("api_key_pkey")),
        sa.UniqueConstraint("org_id", "key_hash", name=op.f("api_key_org_id_key_hash_key")),
    )
    op.create_table(
        "device",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("app_version", sa.String(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=True),
        sa.Column("storage_persisted", sa.Boolean(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_why", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("device_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("device_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("device_pkey")),
    )
    op.create_index(op.f("device_org_id_person_id_idx"), "device", ["org_id", "person_id"], unique=False)
    op.create_table(
        "engineer",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("home", Geography("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=True),
        sa.Column("daily_capacity_minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("daily_capacity_minutes > 0", name=op.f("engineer_capacity_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("engineer_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "territory_id"],
            ["territory.org_id", "territory.id"],
            name=op.f("engineer_org_id_territory_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("engineer_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "person_id", name=op.f("engineer_pkey")),
    )
    op.create_table(
        "engineer_skill",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("skill_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("level between 1 and 5", name=op.f("engineer_skill_level_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("engineer_skill_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "skill_id"], ["skill.org_id", "skill.id"], name=op.f("engineer_skill_org_id_skill_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("engineer_skill_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "person_id", "skill_id", name=op.f("engineer_skill_pkey")),
    )
    op.create_table(
        "fence",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("centre", Geography("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column("radius_m", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("streak", sa.Integer(), nullable=False),
        sa.Column("streak_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_fix_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("side in ('outside', 'inside')", name=op.f("fence_side_check")),
        sa.CheckConstraint("radius_m > 0", name=op.f("fence_radius_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("fence_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fence_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("fence_pkey")),
    )
    op.create_index(
        op.f("fence_org_id_person_id_closed_at_idx"), "fence", ["org_id", "person_id", "closed_at"], unique=False
    )
    op.create_index(op.f("fence_org_id_subject_id_idx"), "fence", ["org_id", "subject_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("collapse_key", sa.String(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'sent', 'failed')", name=op.f("message_state_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("message_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("message_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("message_pkey")),
    )
    op.create_index(
        "message_collapse_idx",
        "message",
        ["org_id", "person_id", "collapse_key"],
        unique=True,
        postgresql_where="state = 'waiting'",
    )
    op.create_index(
        "message_waiting_idx", "message", ["org_id", "next_try_at"], unique=False, postgresql_where="state = 'waiting'"
    )
    op.create_table(
        "position_last",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("place", Geography("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column("accuracy_m", sa.Integer(), nullable=False),
        sa.Column("heading", sa.Integer(), nullable=True),
        sa.Column("speed_kmh", sa.Integer(), nullable=True),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("position_last_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("position_last_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "person_id", name=op.f("position_last_pkey")),
    )
    op.create_index("position_last_place_idx", "position_last", ["place"], unique=False, postgresql_using="gist")
    op.create_table(
        "procedure_item",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("procedure_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("label", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("minimum", sa.Float(), nullable=True),
        sa.Column("maximum", sa.Float(), nullable=True),
        sa.Column("choices", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "kind in ('yes_no', 'number', 'choice', 'text', 'photo', 'barcode')", name=op.f("procedure_item_kind_check")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "procedure_id"],
            ["procedure.org_id", "procedure.id"],
            name=op.f("procedure_item_org_id_procedure_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("procedure_item_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("procedure_item_pkey")),
        sa.UniqueConstraint(
            "org_id", "procedure_id", "ordinal", name=op.f("procedure_item_org_id_procedure_id_ordinal_key")
        ),
    )
    op.create_table(
        "shift",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("shift_order_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("shift_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("shift_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("shift_pkey")),
    )
    op.create_index(
        op.f("shift_org_id_person_id_starts_at_idx"), "shift", ["org_id", "person_id", "starts_at"], unique=False
    )
    op.create_table(
        "site",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("place", Geography("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column("access_notes", sa.String(), nullable=False),
        sa.Column("fence_radius_m", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("fence_radius_m between 20 and 20000", name=op.f("site_fence_radius_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "customer_id"], ["customer.org_id", "customer.id"], name=op.f("site_org_id_customer_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "territory_id"], ["territory.org_id", "territory.id"], name=op.f("site_org_id_territory_id_fkey")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("site_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("site_pkey")),
    )
    op.create_index(op.f("site_org_id_customer_id_idx"), "site", ["org_id", "customer_id"], unique=False)
    op.create_index("site_place_idx", "site", ["place"], unique=False, postgresql_using="gist")
    op.create_table(
        "stock_location",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("place", Geography("POINT", 4326, spatial_index=False), nullable=True),
        sa.CheckConstraint(
            "kind in ('warehouse', 'van', 'quarantine', 'supplier', 'consumed', 'adjustment')",
            name=op.f("stock_location_kind_check"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("stock_location_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("stock_location_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("stock_location_pkey")),
        sa.UniqueConstraint("org_id", "name", name=op.f("stock_location_org_id_name_key")),
    )
    op.create_index(
        "stock_location_van_idx",
        "stock_location",
        ["org_id", "person_id"],
        unique=True,
        postgresql_where="kind = 'van'",
    )
    op.create_index(
        "stock_location_virtual_idx",
        "stock_location",
        ["org_id", "kind"],
        unique=True,
        postgresql_where="kind in ('supplier', 'consumed', 'adjustment')",
    )
    op.create_table(
        "sync_entry",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("bucket_id", sa.BigInteger(), nullable=False),
        sa.Column("entity", sa.SmallInteger(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("bv", sa.BigInteger(), nullable=False),
        sa.Column("op", sa.CHAR(length=1), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "bucket_id"],
            ["sync_bucket.org_id", "sync_bucket.id"],
            name=op.f("sync_entry_org_id_bucket_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("sync_entry_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "bucket_id", "entity", "entity_id", name=op.f("sync_entry_pkey")),
    )
    op.create_index(
        "sync_entry_changes_idx",
        "sync_entry",
        ["org_id", "bucket_id", "bv"],
        unique=False,
        postgresql_include=["entity", "entity_id", "op"],
    )
    op.create_index(
        "sync_entry_home_idx",
        "sync_entry",
        ["org_id", "entity", "entity_id"],
        unique=False,
        postgresql_where="op = 'p'",
    )
    op.create_table(
        "asset",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("installed_on", sa.Date(), nullable=True),
        sa.Column("warranty_until", sa.Date(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("status in ('in_service', 'faulty', 'retired')", name=op.f("asset_status_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "site_id"], ["site.org_id", "site.id"], name=op.f("asset_org_id_site_id_fkey")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("asset_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("asset_pkey")),
        sa.UniqueConstraint("org_id", "product", "serial", name=op.f("asset_org_id_product_serial_key")),
    )
    op.create_index(op.f("asset_org_id_site_id_idx"), "asset", ["org_id", "site_id"], unique=False)
    op.create_table(
        "contact",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("email", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "customer_id"], ["customer.org_id", "customer.id"], name=op.f("contact_org_id_customer_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "site_id"], ["site.org_id", "site.id"], name=op.f("contact_org_id_site_id_fkey")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("contact_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("contact_pkey")),
    )
    op.create_index(op.f("contact_org_id_customer_id_idx"), "contact", ["org_id", "customer_id"], unique=False)
    op.create_table(
        "enrolment_code",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "device_id"], ["device.org_id", "device.id"], name=op.f("enrolment_code_org_id_device_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("enrolment_code_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("enrolment_code_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("enrolment_code_pkey")),
        sa.UniqueConstraint("code_hash", name=op.f("enrolment_code_code_hash_key")),
    )
    op.create_table(
        "fence_crossing",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fence_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('entered', 'left')", name=op.f("fence_crossing_kind_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "fence_id"],
            ["fence.org_id", "fence.id"],
            name=op.f("fence_crossing_org_id_fence_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("fence_crossing_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("fence_crossing_pkey")),
        sa.UniqueConstraint("org_id", "fence_id", "ordinal", name=op.f("fence_crossing_org_id_fence_id_ordinal_key")),
    )
    op.create_table(
        "position_track",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("place", Geography("POINT", 4326, spatial_index=False), nullable=False),
        sa.Column("accuracy_m", sa.Integer(), nullable=False),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "device_id"], ["device.org_id", "device.id"], name=op.f("position_track_org_id_device_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("position_track_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "device_id", "seq", name=op.f("position_track_pkey")),
    )
    op.create_index(
        op.f("position_track_org_id_person_id_fixed_at_idx"),
        "position_track",
        ["org_id", "person_id", "fixed_at"],
        unique=False,
    )
    op.create_table(
        "session",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_why", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "device_id"], ["device.org_id", "device.id"], name=op.f("session_org_id_device_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("session_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("session_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("session_pkey")),
    )
    op.create_table(
        "stock",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "location_id"],
            ["stock_location.org_id", "stock_location.id"],
            name=op.f("stock_org_id_location_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "part_id"], ["part.org_id", "part.id"], name=op.f("stock_org_id_part_id_fkey")
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("stock_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "location_id", "part_id", name=op.f("stock_pkey")),
        sa.UniqueConstraint("org_id", "id", name=op.f("stock_org_id_id_key")),
    )
    op.create_table(
        "sync_device_state",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("buckets", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "device_id"],
            ["device.org_id", "device.id"],
            name=op.f("sync_device_state_org_id_device_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("sync_device_state_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "device_id", "ordinal", name=op.f("sync_device_state_pkey")),
    )
    op.create_table(
        "sync_stream",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "device_id"], ["device.org_id", "device.id"], name=op.f("sync_stream_org_id_device_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("sync_stream_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("sync_stream_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("sync_stream_pkey")),
    )
    op.create_table(
        "mutation_log",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("v", sa.Integer(), nullable=False),
        sa.Column("envelope", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("payload_hash", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at_device", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at_estimated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uncertainty_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "stream_id"],
            ["sync_stream.org_id", "sync_stream.id"],
            name=op.f("mutation_log_org_id_stream_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("mutation_log_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("mutation_log_pkey")),
        sa.UniqueConstraint("org_id", "stream_id", "seq", name=op.f("mutation_log_org_id_stream_id_seq_key")),
    )
    op.create_index(
        "mutation_log_open_idx",
        "mutation_log",
        ["org_id", "status"],
        unique=False,
        postgresql_where="status = 'quarantined'",
    )
    op.create_table(
        "refresh_token",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "session_id"],
            ["session.org_id", "session.id"],
            name=op.f("refresh_token_org_id_session_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("refresh_token_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("refresh_token_pkey")),
        sa.UniqueConstraint("org_id", "token_hash", name=op.f("refresh_token_org_id_token_hash_key")),
    )
    op.create_table(
        "work_order",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("problem_type", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("hold_reason", sa.String(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported_by", sa.String(), nullable=False),
        sa.Column("respond_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("window_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("procedure_id", sa.Uuid(), nullable=True),
        sa.Column("preferred_engineer_id", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "channel in ('portal', 'phone', 'email', 'api', 'field', 'device_alarm', 'contract')",
            name=op.f("work_order_channel_check"),
        ),
        sa.CheckConstraint("priority in ('urgent', 'high', 'normal')", name=op.f("work_order_priority_check")),
        sa.CheckConstraint(
            "state in ('new', 'triaged', 'scheduled', 'dispatched', 'accepted', 'travelling', 'on_site', 'working', 'on_hold', 'resolved', 'awaiting_confirmation', 'closed', 'cancelled', 'reopened')",
            name=op.f("work_order_state_check"),
        ),
        sa.CheckConstraint("duration_minutes between 1 and 100000", name=op.f("work_order_duration_check")),
        sa.CheckConstraint("window_end > window_start", name=op.f("work_order_window_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "asset_id"], ["asset.org_id", "asset.id"], name=op.f("work_order_org_id_asset_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "customer_id"],
            ["customer.org_id", "customer.id"],
            name=op.f("work_order_org_id_customer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "preferred_engineer_id"],
            ["person.org_id", "person.id"],
            name=op.f("work_order_org_id_preferred_engineer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "procedure_id"],
            ["procedure.org_id", "procedure.id"],
            name=op.f("work_order_org_id_procedure_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "site_id"], ["site.org_id", "site.id"], name=op.f("work_order_org_id_site_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("work_order_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("work_order_pkey")),
        sa.UniqueConstraint("org_id", "number", name=op.f("work_order_org_id_number_key")),
    )
    op.create_index(op.f("work_order_org_id_site_id_idx"), "work_order", ["org_id", "site_id"], unique=False)
    op.create_index(op.f("work_order_org_id_state_id_idx"), "work_order", ["org_id", "state", "id"], unique=False)
    op.create_table(
        "checklist_answer",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "answered_by"],
            ["person.org_id", "person.id"],
            name=op.f("checklist_answer_org_id_answered_by_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "item_id"],
            ["procedure_item.org_id", "procedure_item.id"],
            name=op.f("checklist_answer_org_id_item_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "work_order_id"],
            ["work_order.org_id", "work_order.id"],
            name=op.f("checklist_answer_org_id_work_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("checklist_answer_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("checklist_answer_pkey")),
    )
    op.create_index(
        op.f("checklist_answer_org_id_work_order_id_item_id_idx"),
        "checklist_answer",
        ["org_id", "work_order_id", "item_id"],
        unique=False,
    )
    op.create_table(
        "conflict",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mutation_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("mine", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("theirs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settlement", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "mutation_id"],
            ["mutation_log.org_id", "mutation_log.id"],
            name=op.f("conflict_org_id_mutation_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("conflict_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("conflict_pkey")),
    )
    op.create_index(op.f("conflict_org_id_settled_at_idx"), "conflict", ["org_id", "settled_at"], unique=False)
    op.create_table(
        "cost",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('travel', 'parking', 'material', 'other')", name=op.f("cost_kind_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("cost_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "work_order_id"],
            ["work_order.org_id", "work_order.id"],
            name=op.f("cost_org_id_work_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("cost_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("cost_pkey")),
    )
    op.create_index(op.f("cost_org_id_work_order_id_idx"), "cost", ["org_id", "work_order_id"], unique=False)
    op.create_table(
        "note",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "author_id"], ["person.org_id", "person.id"], name=op.f("note_org_id_author_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "work_order_id"],
            ["work_order.org_id", "work_order.id"],
            name=op.f("note_org_id_work_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("note_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("note_pkey")),
    )
    op.create_index(op.f("note_org_id_work_order_id_idx"), "note", ["org_id", "work_order_id"], unique=False)
    op.create_table(
        "photo",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("caption", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hidden_why", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["org_id", "author_id"], ["person.org_id", "person.id"], name=op.f("photo_org_id_author_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "work_order_id"],
            ["work_order.org_id", "work_order.id"],
            name=op.f("photo_org_id_work_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("photo_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("photo_pkey")),
    )
    op.create_index(op.f("photo_org_id_sha256_idx"), "photo", ["org_id", "sha256"], unique=False)
    op.create_index(op.f("photo_org_id_author_id_at_idx"), "photo", ["org_id", "author_id", "at"], unique=False)
    op.create_index(op.f("photo_org_id_work_order_id_idx"), "photo", ["org_id", "work_order_id"], unique=False)
    op.create_table(
        "signature",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("signer_name", sa.String(), nullable=False),
        sa.Column("signer_role", sa.String(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("document_hash", sa.String(), nullable=False),
        sa.Column("strokes_hash", sa.String(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("captured_by", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("at_device", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rating between 1 and 5", name=op.f("signature_rating_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "work_order_id"],
            ["work_order.org_id", "work_order.id"],
            name=op.f("signature_org_id_work_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("signature_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("signature_pkey")),
    )
    op.create_index(op.f("signature_org_id_work_order_id_idx"), "signature", ["org_id", "work_order_id"], unique=False)
    op.create_table(
        "stock_movement",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=14, scale=3), nullable=False),
        sa.Column("serial", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("moved_by", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reason in ('goods_in', 'transfer', 'used', 'returned', 'counted', 'reversed')",
            name=op.f("stock_movement_reason_check"),
        ),
        sa.CheckConstraint("from_id <> to_id", name=op.f("stock_movement_two_ends_check")),
        sa.CheckConstraint("quantity > 0", name=op.f("stock_movement_quantity_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "from_id"],
            ["stock_location.org_id", "stock_location.id"],
            name=op.f("stock_movement_org_id_from_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "part_id"], ["part.org_id", "part.id"], name=op.f("stock_movement_org_id_part_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "reverses_id"],
            ["stock_movement.org_id", "stock_movement.id"],
            name=op.f("stock_movement_org_id_reverses_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "to_id"],
            ["stock_location.org_id", "stock_location.id"],
            name=op.f("stock_movement_org_id_to_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "work_order_id"],
            ["work_order.org_id", "work_order.id"],
            name=op.f("stock_movement_org_id_work_order_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("stock_movement_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("stock_movement_pkey")),
        sa.UniqueConstraint("org_id", "reverses_id", name=op.f("stock_movement_org_id_reverses_id_key")),
    )
    op.create_index(
        op.f("stock_movement_org_id_part_id_at_idx"), "stock_movement", ["org_id", "part_id", "at"], unique=False
    )
    op.create_index(
        op.f("stock_movement_org_id_work_order_id_idx"), "stock_movement", ["org_id", "work_order_id"], unique=False
    )
    op.create_index(
        "stock_movement_serial_idx",
        "stock_movement",
        ["org_id", "part_id", "serial"],
        unique=False,
        postgresql_where="serial is not null",
    )
    op.create_table(
        "time_entry",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('travel', 'work', 'break')", name=op.f("time_entry_kind_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "person_id"], ["person.org_id", "person.id"], name=op.f("time_entry_org_id_person_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "work_order_id"],
            ["work_order.org_id", "work_order.id"],
            name=op.f("time_entry_org_id_work_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("time_entry_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("time_entry_pkey")),
    )
    op.create_index(
        op.f("time_entry_org_id_work_order_id_idx"), "time_entry", ["org_id", "work_order_id"], unique=False
    )
    op.create_index(
        op.f("time_entry_org_id_person_id_started_at_idx"),
        "time_entry",
        ["org_id", "person_id", "started_at"],
        unique=False,
    )
    op.create_table(
        "timeline_entry",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("from_state", sa.String(), nullable=True),
        sa.Column("to_state", sa.String(), nullable=True),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("at_device", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", Geography("POINT", 4326, spatial_index=False), nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "work_order_id"],
            ["work_order.org_id", "work_order.id"],
            name=op.f("timeline_entry_org_id_work_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("timeline_entry_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("timeline_entry_pkey")),
    )
    op.create_index(
        op.f("timeline_entry_org_id_work_order_id_at_idx"),
        "timeline_entry",
        ["org_id", "work_order_id", "at"],
        unique=False,
    )
    op.create_table(
        "visit",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=True),
        sa.Column("planned_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("planned_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state in ('planned', 'dispatched', 'accepted', 'travelling', 'on_site', 'working', 'paused', 'completed', 'interrupted', 'declined', 'cancelled')",
            name=op.f("visit_state_check"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "engineer_id"], ["person.org_id", "person.id"], name=op.f("visit_org_id_engineer_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "work_order_id"],
            ["work_order.org_id", "work_order.id"],
            name=op.f("visit_org_id_work_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("visit_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("visit_pkey")),
        sa.UniqueConstraint("org_id", "work_order_id", "ordinal", name=op.f("visit_org_id_work_order_id_ordinal_key")),
    )
    op.create_index(
        op.f("visit_org_id_engineer_id_finished_at_idx"),
        "visit",
        ["org_id", "engineer_id", "finished_at"],
        unique=False,
    )
    op.create_index(
        op.f("visit_org_id_engineer_id_state_idx"), "visit", ["org_id", "engineer_id", "state"], unique=False
    )
    op.create_table(
        "work_order_skill",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("skill_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.CheckConstraint("level between 1 and 5", name=op.f("work_order_skill_level_check")),
        sa.ForeignKeyConstraint(
            ["org_id", "skill_id"], ["skill.org_id", "skill.id"], name=op.f("work_order_skill_org_id_skill_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "work_order_id"],
            ["work_order.org_id", "work_order.id"],
            name=op.f("work_order_skill_org_id_work_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("work_order_skill_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "work_order_id", "skill_id", name=op.f("work_order_skill_pkey")),
    )
    op.create_table(
        "assignment_decision",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("weights_version", sa.Integer(), nullable=False),
        sa.Column("candidates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "visit_id"],
            ["visit.org_id", "visit.id"],
            name=op.f("assignment_decision_org_id_visit_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("assignment_decision_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("assignment_decision_pkey")),
    )
    op.create_index(
        op.f("assignment_decision_org_id_visit_id_idx"), "assignment_decision", ["org_id", "visit_id"], unique=False
    )
    op.create_table(
        "service_report",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("signature_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("document_hash", sa.String(), nullable=False),
        sa.Column("pdf_sha256", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "signature_id"],
            ["signature.org_id", "signature.id"],
            name=op.f("service_report_org_id_signature_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "work_order_id"],
            ["work_order.org_id", "work_order.id"],
            name=op.f("service_report_org_id_work_order_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["org_id"], ["organisation.id"], name=op.f("service_report_org_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("org_id", "id", name=op.f("service_report_pkey")),
        sa.UniqueConstraint("code", name=op.f("service_report_code_key")),
        sa.UniqueConstraint(
            "org_id",
            "work_order_id",
            "version",
            "language",
            name=op.f("service_report_org_id_work_order_id_version_language_key"),
        ),
    )
    secure(TABLES, append_only=APPEND_ONLY)
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    run_sql("0001_jobs_rights.sql")
    run_sql("0001_doors.sql")
    run_sql("0001_sync.sql")
    run_sql("0001_stock.sql")


def downgrade() -> None:
    run_sql("0001_undo_doors.sql")
    op.drop_table("service_report")
    op.drop_index(op.f("assignment_decision_org_id_visit_id_idx"), table_name="assignment_decision")
    op.drop_table("assignment_decision")
    op.drop_table("work_order_skill")
    op.drop_index(op.f("visit_org_id_engineer_id_state_idx"), table_name="visit")
    op.drop_index(op.f("visit_org_id_engineer_id_finished_at_idx"), table_name="visit")
    op.drop_table("visit")
    op.drop_index(op.f("timeline_entry_org_id_work_order_id_at_idx"), table_name="timeline_entry")
    op.drop_table("timeline_entry")
    op.drop_index(op.f("time_entry_org_id_work_order_id_idx"), table_name="time_entry")
    op.drop_table("time_entry")
    op.drop_index("stock_movement_serial_idx", table_name="stock_movement", postgresql_where="serial is not null")
    op.drop_index(op.f("stock_movement_org_id_work_order_id_idx"), table_name="stock_movement")
    op.drop_index(op.f("stock_movement_org_id_part_id_at_idx"), table_name="stock_movement")
    op.drop_table("stock_movement")
    op.drop_index(op.f("signature_org_id_work_order_id_idx"), table_name="signature")
    op.drop_table("signature")
    op.drop_index(op.f("photo_org_id_work_order_id_idx"), table_name="photo")
    op.drop_index(op.f("photo_org_id_sha256_idx"), table_name="photo")
    op.drop_index(op.f("photo_org_id_author_id_at_idx"), table_name="photo")
    op.drop_table("photo")
    op.drop_index(op.f("note_org_id_work_order_id_idx"), table_name="note")
    op.drop_table("note")
    op.drop_index(op.f("cost_org_id_work_order_id_idx"), table_name="cost")
    op.drop_table("cost")
    op.drop_index(op.f("conflict_org_id_settled_at_idx"), table_name="conflict")
    op.drop_table("conflict")
    op.drop_index(op.f("checklist_answer_org_id_work_order_id_item_id_idx"), table_name="checklist_answer")
    op.drop_table("checklist_answer")
    op.drop_index(op.f("work_order_org_id_state_id_idx"), table_name="work_order")
    op.drop_index(op.f("work_order_org_id_site_id_idx"), table_name="work_order")
    op.drop_table("work_order")
    op.drop_table("refresh_token")
    op.drop_index("mutation_log_open_idx", table_name="mutation_log", postgresql_where="status = 'quarantined'")
    op.drop_table("mutation_log")
    op.drop_table("sync_stream")
    op.drop_table("sync_device_state")
    op.drop_table("stock")
    op.drop_table("session")
    op.drop_index(op.f("position_track_org_id_person_id_fixed_at_idx"), table_name="position_track")
    op.drop_table("position_track")
    op.drop_table("fence_crossing")
    op.drop_table("enrolment_code")
    op.drop_index(op.f("contact_org_id_customer_id_idx"), table_name="contact")
    op.drop_table("contact")
    op.drop_index(op.f("asset_org_id_site_id_idx"), table_name="asset")
    op.drop_table("asset")
    op.drop_index("sync_entry_home_idx", table_name="sync_entry", postgresql_where="op = 'p'")
    op.drop_index("sync_entry_changes_idx", table_name="sync_entry", postgresql_include=["entity", "entity_id", "op"])
    op.drop_table("sync_entry")
    op.drop_index(
        "stock_location_virtual_idx",
        table_name="stock_location",
        postgresql_where="kind in ('supplier', 'consumed', 'adjustment')",
    )
    op.drop_index("stock_location_van_idx", table_name="stock_location", postgresql_where="kind = 'van'")
    op.drop_table("stock_location")
    op.drop_index("site_place_idx", table_name="site", postgresql_using="gist")
    op.drop_index(op.f("site_org_id_customer_id_idx"), table_name="site")
    op.drop_table("site")
    op.drop_index(op.f("shift_org_id_person_id_starts_at_idx"), table_name="shift")
    op.drop_table("shift")
    op.drop_table("procedure_item")
    op.drop_index("position_last_place_idx", table_name="position_last", postgresql_using="gist")
    op.drop_table("position_last")
    op.drop_index("message_waiting_idx", table_name="message", postgresql_where="state = 'waiting'")
    op.drop_index("message_collapse_idx", table_name="message", postgresql_where="state = 'waiting'")
    op.drop_table("message")
    op.drop_index(op.f("fence_org_id_subject_id_idx"), table_name="fence")
    op.drop_index(op.f("fence_org_id_person_id_closed_at_idx"), table_name="fence")
    op.drop_table("fence")
    op.drop_table("engineer_skill")
    op.drop_table("engineer")
    op.drop_index(op.f("device_org_id_person_id_idx"), table_name="device")
    op.drop_table("device")
    op.drop_table("api_key")
    op.drop_table("work_order_counter")
    op.drop_table("territory")
    op.drop_table("sync_bucket")
    op.drop_table("skill")
    op.drop_table("score_weights")
    op.drop_table("procedure")
    op.drop_index("person_email_idx", table_name="person")
    op.drop_table("person")
    op.drop_table("part")
    op.drop_table("idempotency_key")
    op.drop_index("event_unrelayed_idx", table_name="event", postgresql_where="position is null")
    op.drop_index("event_org_position_idx", table_name="event")
    op.drop_table("event")
    op.drop_table("customer")
    op.drop_table("blob")
    op.drop_table("organisation")
    run_sql("0001_undo.sql")
