"""Which rows belong into which bucket, read from the migrations: a trigger that is lost later is missed here."""

import re
from dataclasses import dataclass
from pathlib import Path

_SQL = Path(__file__).parents[2] / "server" / "migrations" / "sql"
_CALL = re.compile(
    r"call sync_feed\(\s*'(?P<table>\w+)',\s*(?P<entity>\d+)(?:::smallint)?,\s*'(?P<prefix>[^']*)',\s*'(?P<column>\w*)'"
    r"(?:,\s*'(?P<id>\w+)')?(?:,\s*also_column => '(?P<also>\w+)')?",
)


@dataclass(frozen=True)
class Feed:
    table: str
    entity: int
    prefix: str
    column: str
    id: str

    @property
    def bucket(self) -> str:
        return f"'{self.prefix}' || t.{self.column}" if self.column else f"'{self.prefix}'"


def feeds() -> list[Feed]:
    """Every `call sync_feed(…)`, in the order of the files; one that names two columns is two."""
    found = [
        Feed(it["table"], int(it["entity"]), it["prefix"], column, it["id"] or "id")
        for path in sorted(_SQL.glob("*.sql"))
        for it in _CALL.finditer(path.read_text())
        for column in (it["column"], it["also"])
        if column is not None
    ]
    return list({(feed.entity, feed.column): feed for feed in found}.values())
