"""Standard procedures: a checklist's items and what counts as an answer. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from server.workorders.errors import AnswerDoesNotFit, ProcedureWithoutItems

_FEWEST_CHOICES = 2


class ItemKind(StrEnum):
    YES_NO = "yes_no"
    NUMBER = "number"
    CHOICE = "choice"
    TEXT = "text"
    PHOTO = "photo"
    BARCODE = "barcode"


@dataclass(frozen=True)
class Procedure:
    id: UUID
    key: str
    version: int
    name: Mapping[str, str]


@dataclass(frozen=True)
class ItemDraft:
    """An item as it is written down: `label` and each choice carry `en` and `zh`, a choice also its `key`."""

    kind: ItemKind
    label: dict[str, str]
    required: bool = True
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[dict[str, str], ...] = ()
    safety_critical: bool = False


@dataclass(frozen=True)
class Item:
    id: UUID
    procedure_id: UUID
    ordinal: int
    kind: ItemKind
    label: dict[str, str]
    required: bool
    unit: str | None
    minimum: float | None
    maximum: float | None
    choices: list[dict[str, str]]
    safety_critical: bool


def check_drafts(drafts: Sequence[ItemDraft]) -> None:
    """Raise ProcedureWithoutItems when nobody could follow this procedure."""
    too_narrow = [it for it in drafts if it.kind is ItemKind.CHOICE and len(it.choices) < _FEWEST_CHOICES]
    if not drafts or too_narrow:
        raise ProcedureWithoutItems


def check_answer(item: Item, value: Any) -> None:
    """Raise AnswerDoesNotFit unless `value` has the shape the item asks for.

    A number outside its limits is a finding, not an error: it is accepted and shown as out of range.
    """
    match item.kind, value:
        case ItemKind.YES_NO, bool():
            return
        case ItemKind.NUMBER, int() | float() if not isinstance(value, bool):
            return
        case ItemKind.CHOICE, str() if value in {choice["key"] for choice in item.choices}:
            return
        case ((ItemKind.TEXT | ItemKind.BARCODE | ItemKind.PHOTO), str()) if value:
            return
    raise AnswerDoesNotFit(kind=item.kind, item=item.id)


def unanswered(items: Iterable[Item], answered: Iterable[UUID]) -> list[Item]:
    done = set(answered)
    return [item for item in items if item.required and item.id not in done]


def within_limits(item: Item, value: float) -> bool:
    return (item.minimum is None or value >= item.minimum) and (item.maximum is None or value <= item.maximum)
