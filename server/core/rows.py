"""Rows become frozen dataclasses: matched by column name, enums by value, other types by their own `from_db`."""

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, cast

from psycopg import AsyncCursor
from psycopg.rows import RowMaker

type _Convert = Callable[[Any], Any]


def shaped[T](kind: type[T]) -> Callable[[AsyncCursor[Any]], RowMaker[T]]:
    """Make a psycopg row factory for `kind`, a dataclass whose fields are the columns of the statement."""

    def factory(cursor: AsyncCursor[Any]) -> RowMaker[T]:
        names = [column.name for column in cursor.description or ()]
        converters = _converters(cast("type", kind))
        wanted = [(name, converters.get(name)) for name in names]

        def make(values: Sequence[Any]) -> T:
            return kind(
                **{
                    name: convert(value) if convert and value is not None else value
                    for (name, convert), value in zip(wanted, values, strict=True)
                }
            )

        return make

    return factory


@lru_cache(maxsize=256)
def _converters(kind: type) -> dict[str, _Convert]:
    if not is_dataclass(kind):
        message = f"{kind.__name__} must be a dataclass to be read from rows"
        raise TypeError(message)
    hints = typing.get_type_hints(kind)
    found = {field.name: _converter(hints[field.name]) for field in fields(kind)}
    return {name: convert for name, convert in found.items() if convert}


def _converter(hint: Any) -> _Convert | None:
    if isinstance(hint, types.UnionType):
        plain = [part for part in hint.__args__ if part is not types.NoneType]
        return _converter(plain[0]) if len(plain) == 1 else None
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if typing.get_origin(hint) is tuple and len(arguments := typing.get_args(hint)) == 2 and arguments[1] is ...:  # noqa: PLR2004
        inner = _converter(arguments[0])
        return (lambda values: tuple(inner(value) for value in values)) if inner else tuple
    from_db: _Convert | None = getattr(hint, "from_db", None)
    return from_db


def part_of_row[T](kind: type[T], row: Mapping[str, Any], prefix: str) -> T | None:
    """Read one of several things out of a row: `kind` from the columns that begin with `prefix`; None if all are null.

    For statements that answer two things at once, where a second trip to the database would cost more than it tells.
    """
    converters = _converters(cast("type", kind))
    values = {field.name: row[prefix + field.name] for field in fields(cast("Any", kind))}
    if all(value is None for value in values.values()):
        return None
    return kind(
        **{
            name: convert(value) if (convert := converters.get(name)) and value is not None else value
            for name, value in values.items()
        }
    )
