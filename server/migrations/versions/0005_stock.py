"""Reservations, counts, transfers with goods on the way, discrepancies."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from server.migrations.security import run_sql, secure

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = ("stock_count", "reservation", "reservation_use", "transfer", "discrepancy")
_KINDS = ("warehouse", "van", "quarantine", "supplier", "consumed", "adjustment")
_REASONS = ("goods_in", "transfer", "used", "returned", "counted", "reversed")


def upgrade() -> None:
    _widen((*_KINDS, "transit"), (*_REASONS, "sent", "received"))
    _make_stock_count()
    _make_reservation()
    _make_transfer()
    _make_discrepancy()
    op.add_column("stock_movement", sa.Column("stream_id", sa.Uuid(), nullable=True))
    op.add_column("stock_movement", sa.Column("seq", sa.BigInteger(), nullable=True))
    op.add_column("stock_movement", sa.Column("count_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("stock_movement_org_id_count_id_fkey"),
        "stock_movement",
        "stock_count",
        ["org_id", "count_id"],
        ["org_id", "id"],
    )
    op.create_index(
        "stock_movement_count_idx",
        "stock_movement",
        ["org_id", "count_id"],
        postgresql_where="count_id is not null",
    )
    secure(TABLES, append_only=("stock_count", "reservation_use"))
    run_sql("0005_stock.sql")


def _make_stock_count() -> None:
    op.create_table(
        "stock_count",
        *_record(),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        _quantity("quantity"),
        sa.Column("serials", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("counted_by", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("stream_id", sa.Uuid(), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        _instant("at"),
        _instant("recorded_at"),
        sa.CheckConstraint("quantity >= 0", name=op.f("stock_count_quantity_check")),
        *_keys("stock_count", ("location_id", "stock_location"), ("part_id", "part")),
    )
    op.create_index("stock_count_at_idx", "stock_count", ["org_id", "location_id", "part_id", "at"])


def _make_reservation() -> None:
    op.create_table(
        "reservation",
        *_record(),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        _quantity("quantity"),
        _quantity("used"),
        sa.Column("state", sa.String(), nullable=False),
        _instant("expires_at", nullable=True),
        sa.Column("reserved_by", sa.Uuid(), nullable=False),
        _instant("at"),
        _instant("ended_at", nullable=True),
        sa.Column("why", sa.String(), nullable=True),
        sa.CheckConstraint("state in ('open', 'closed', 'released')", name=op.f("reservation_state_check")),
        sa.CheckConstraint("quantity > 0", name=op.f("reservation_quantity_check")),
        sa.CheckConstraint("used between 0 and quantity", name=op.f("reservation_used_check")),
        sa.CheckConstraint("(state = 'open') = (ended_at is null)", name=op.f("reservation_ended_at_check")),
        *_keys("reservation", ("part_id", "part"), ("location_id", "stock_location")),
        _foreign("reservation", "work_order_id", "work_order", ondelete="CASCADE"),
    )
    op.create_index("reservation_order_idx", "reservation", ["org_id", "work_order_id", "part_id"])
    op.create_index(
        "reservation_open_idx",
        "reservation",
        ["org_id", "location_id", "part_id"],
        postgresql_where="state = 'open'",
    )
    op.create_table(
        "reservation_use",
        sa.Column("org_id", sa.Uuid(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("movement_id", sa.Uuid(), nullable=False),
        _quantity("quantity"),
        sa.CheckConstraint("quantity <> 0", name=op.f("reservation_use_quantity_check")),
        _foreign("reservation_use", "reservation_id", "reservation", ondelete="CASCADE"),
        *_keys("reservation_use", ("movement_id", "stock_movement"), key=("reservation_id", "movement_id")),
    )
    op.create_index("reservation_use_movement_idx", "reservation_use", ["org_id", "movement_id"])


def _make_transfer() -> None:
    op.create_table(
        "transfer",
        *_record(),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.String(), nullable=True),
        sa.Column("from_id", sa.Uuid(), nullable=True),
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("into_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        _quantity("sent", nullable=True),
        _instant("sent_at", nullable=True),
        sa.Column("sent_by", sa.Uuid(), nullable=True),
        _quantity("received", nullable=True),
        _instant("received_at", nullable=True),
        sa.Column("received_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("state in ('sent', 'unannounced', 'received')", name=op.f("transfer_state_check")),
        sa.CheckConstraint("num_nonnulls(sent, received) > 0", name=op.f("transfer_one_side_check")),
        *_keys(
            "transfer",
            ("part_id", "part"),
            ("from_id", "stock_location"),
            ("to_id", "stock_location"),
            ("into_id", "stock_location"),
        ),
    )
    op.create_index("transfer_open_idx", "transfer", ["org_id", "state", "id"], postgresql_where="state <> 'received'")


def _make_discrepancy() -> None:
    op.create_table(
        "discrepancy",
        *_record(),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("part_id", sa.Uuid(), nullable=False),
        sa.Column("location_id", sa.Uuid(), nullable=True),
        sa.Column("serial", sa.String(), nullable=True),
        _quantity("expected", nullable=True),
        _quantity("found", nullable=True),
        sa.Column("movement_id", sa.Uuid(), nullable=True),
        sa.Column("count_id", sa.Uuid(), nullable=True),
        sa.Column("transfer_id", sa.Uuid(), nullable=True),
        sa.Column("mutation_id", sa.Uuid(), nullable=True),
        sa.Column("work_order_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        _instant("opened_at"),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        _instant("resolved_at", nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolution", sa.String(), nullable=True),
        sa.CheckConstraint(
            "kind in ('negative', 'serial_clash', 'count', 'transfer')", name=op.f("discrepancy_kind_check")
        ),
        sa.CheckConstraint("state in ('open', 'resolved')", name=op.f("discrepancy_state_check")),
        sa.CheckConstraint("(state = 'open') = (resolved_at is null)", name=op.f("discrepancy_resolved_at_check")),
        *_keys("discrepancy", ("part_id", "part"), ("location_id", "stock_location"), ("count_id", "stock_count")),
    )
    op.create_index("discrepancy_state_idx", "discrepancy", ["org_id", "state", "id"])
    for name, column, condition in (
        ("negative", "location_id", "kind = 'negative' and state = 'open'"),
        ("count", "count_id", "count_id is not null"),
        ("transfer", "transfer_id", "transfer_id is not null and mutation_id is null"),
        ("mutation", "mutation_id", "mutation_id is not null"),
    ):
        columns = ["org_id", column, "part_id"] if name == "negative" else ["org_id", column]
        op.create_index(f"discrepancy_{name}_idx", "discrepancy", columns, unique=True, postgresql_where=condition)


def _widen(kinds: tuple[str, ...], reasons: tuple[str, ...]) -> None:
    """Let locations be of these kinds and movements have these reasons."""
    for table, column, values in (("stock_location", "kind", kinds), ("stock_movement", "reason", reasons)):
        listed = ", ".join(f"'{value}'" for value in values)
        op.drop_constraint(op.f(f"{table}_{column}_check"), table, type_="check")
        op.create_check_constraint(op.f(f"{table}_{column}_check"), table, f"{column} in ({listed})")
    op.drop_index("stock_location_virtual_idx", table_name="stock_location")
    outside = ", ".join(f"'{kind}'" for kind in kinds[3:])
    op.create_index(
        "stock_location_virtual_idx",
        "stock_location",
        ["org_id", "kind"],
        unique=True,
        postgresql_where=f"kind in ({outside})",
    )


def _record() -> tuple[sa.Column[object], ...]:
    return (sa.Column("org_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False))


def _quantity(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Numeric(precision=14, scale=3), nullable=nullable)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _foreign(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["org_id", column],
        [f"{target}.org_id", f"{target}.id"],
        name=op.f(f"{table}_org_id_{column}_fkey"),
        ondelete=ondelete,
    )


def _keys(table: str, *parents: tuple[str, str], key: tuple[str, ...] = ("id",)) -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f(f"{table}_org_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("org_id", *key, name=op.f(f"{table}_pkey")),
        *(_foreign(table, column, target) for column, target in parents),
    )


def downgrade() -> None:
    run_sql("0005_undo.sql")
    op.drop_index("stock_movement_count_idx", table_name="stock_movement", postgresql_where="count_id is not null")
    op.drop_constraint(op.f("stock_movement_org_id_count_id_fkey"), "stock_movement", type_="foreignkey")
    op.drop_column("stock_movement", "count_id")
    op.drop_column("stock_movement", "seq")
    op.drop_column("stock_movement", "stream_id")
    for table in reversed(TABLES):
        op.drop_table(table)
    run_sql("0005_undo_feeds.sql")
    # Goods on the way keep this from being undone: their movements name the place.
    op.execute("delete from stock_location where kind = 'transit'")
    _widen(_KINDS, _REASONS)
