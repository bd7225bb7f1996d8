"""Row-level security for migrations: a new table that carries `org_id` calls `secure`, or the catalogue test fails."""

from collections.abc import Iterable
from pathlib import Path

from alembic import op

OWNER = "callout_owner"
RUNTIME = "callout_app"

_SQL = Path(__file__).parent / "sql"


def secure(tables: Iterable[str], *, append_only: Iterable[str] = ()) -> None:
    """Isolate organisations in `tables` and grant the runtime role its rows; it can't rewrite `append_only` ones."""
    for table in tables:
        key = "id" if table == "organisation" else "org_id"
        op.execute(f"alter table {table} enable row level security, force row level security")
        op.execute(
            f"create policy one_organisation on {table} to {RUNTIME} "
            # As a sub-select it is evaluated once a statement, not once a row.
            f"using ({key} = (select callout_org())) with check ({key} = (select callout_org()))"
        )
        rights = "select, insert" if table in set(append_only) else "select, insert, update, delete"
        op.execute(f"grant {rights} on {table} to {RUNTIME}")


def run_sql(name: str) -> None:
    """Execute a file of statements that Alembic has no words for."""
    op.get_bind().exec_driver_sql((_SQL / name).read_text().replace("%", "%%"))
