"""Alembic's entry. Migrations run as the role that owns the tables; the runtime role only touches rows."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from geoalchemy2 import Geography
from sqlmodel.sql.sqltypes import AutoString

from server.migrations.metadata import METADATA, is_declared


def _ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:  # noqa: FBT001
    return kind != "table" or name is None or is_declared(name)


def _written(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write column types that Alembic would spell through a library's inner names."""
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    if kind == "type" and isinstance(item, Geography):
        autogen.imports.add("from geoalchemy2 import Geography")
        return f'Geography("{item.geometry_type}", {item.srid}, spatial_index=False)'
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    include_object=_ours,
    render_item=_written,
    compare_type=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
