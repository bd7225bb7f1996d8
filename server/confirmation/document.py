"""The report as data: one language, plain JSON, everything that is printed and nothing that is not.

The same order gives the same document on every run, so its hash says whether anything changed.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from server.confirmation import queries
from server.confirmation.domain import Document, Ending, Language, Signature, zulu
from server.core.db import UnitOfWork
from server.identity.domain import Actor, Audience, Permission
from server.identity.queries import organisation as own_organisation
from server.inventory import service as inventory
from server.inventory.domain import PartUsed
from server.workorders import reading
from server.workorders.domain import State
from server.workorders.procedures import Item, ItemKind
from server.workorders.records import TimeEntry, TimeKind
from server.workorders.views import ChecklistLine, VisitView, WorkOrderDetail

SCHEMA = "callout.service-report/1"


async def report_document(uow: UnitOfWork, work_order_id: UUID, language: Language) -> Document:
    """Answer the report's canonical content. Raises NotFound."""
    detail = await reading.detail(uow, _reader(uow), work_order_id)
    organisation = await own_organisation(uow)
    parts = await inventory.parts_used(uow, work_order_id)
    lines = [_part(part, language) for part in parts]
    costs = [
        {
            "kind": cost.kind,
            "description": cost.description,
            "amount_minor": cost.amount_minor,
            "currency": cost.currency,
        }
        for cost in detail.costs
    ]
    answer = await queries.newest_answer(uow, work_order_id)
    order = detail.order
    document = {
        "schema": SCHEMA,
        "language": language.value,
        "organisation": {"name": organisation.name, "timezone": organisation.timezone},
        "order": {
            "number": order.number,
            "title": order.title,
            "problem_type": order.problem_type,
            "description": order.description,
            "priority": order.priority.value,
            "reported_at": zulu(_utc(order.reported_at)),
            "reported_by": order.reported_by,
        },
        "closed_at": zulu(_utc(order.closed_at)) if order.state is State.CLOSED else None,
        "customer": {"number": detail.customer.number, "name": detail.customer.name},
        "site": {"name": detail.site.name, "address": detail.site.address},
        "asset": _asset(detail),
        "visits": [_visit(visit) for visit in detail.visits if visit.finished_at is not None],
        "checklist": [_checked(line, language) for line in detail.checklist],
        "notes": [{"author": note.author_name, "at": zulu(_utc(note.at)), "body": note.body} for note in detail.notes],
        "times": [_time(entry) for entry in detail.time if entry.kind is not TimeKind.BREAK],
        "parts": lines,
        "costs": costs,
        "totals": _totals([*lines, *costs]),
        "photos": [
            {"sha256": photo.sha256, "caption": photo.caption, "at": zulu(_utc(photo.at))} for photo in detail.photos
        ],
        "signature": _signed(answer) if answer and answer.ending is Ending.SIGNED else None,
    }
    # Only where there is something to say, so that what was printed before keeps its hash.
    return document | ({"unsigned": _unsigned(answer)} if answer and answer.ending is not Ending.SIGNED else {})


def _reader(uow: UnitOfWork) -> Actor:
    """The report is about the whole order, whoever asked for it."""
    assert uow.org is not None
    return Actor(
        uow.org, uow.org, "service report", frozenset({Permission.ORDERS_READ}), Audience.INTEGRATION, Language.EN
    )


def _asset(detail: WorkOrderDetail) -> dict[str, str] | None:
    asset = detail.asset
    return {"product": asset.product, "model": asset.model, "serial": asset.serial} if asset else None


def _visit(visit: VisitView) -> dict[str, Any]:
    return {
        "ordinal": visit.ordinal,
        "engineer": visit.engineer_name,
        "state": visit.state.value,
        "finished_at": zulu(_utc(visit.finished_at)),
    }


def _checked(line: ChecklistLine, language: Language) -> dict[str, Any]:
    item = line.item
    return {
        "label": item.label[language],
        "kind": item.kind.value,
        "required": item.required,
        "value": _answered(item, line.answer.value if line.answer else None, language),
        "unit": item.unit,
        "minimum": item.minimum,
        "maximum": item.maximum,
        "out_of_limits": line.out_of_limits,
    }


def _answered(item: Item, value: Any, language: Language) -> Any:
    """A choice is printed by its words; an option that has since gone keeps its key."""
    if item.kind is not ItemKind.CHOICE or value is None:
        return value
    return next((choice[language] for choice in item.choices if choice["key"] == value), value)


def _time(entry: TimeEntry) -> dict[str, Any]:
    ended = entry.ended_at
    return {
        "person": entry.person_name,
        "kind": entry.kind.value,
        "started_at": zulu(_utc(entry.started_at)),
        "ended_at": zulu(_utc(ended)),
        "minutes": round((ended - entry.started_at).total_seconds() / 60) if ended else None,
    }


def _part(part: PartUsed, language: Language) -> dict[str, Any]:
    amount = (part.quantity * part.price_minor).quantize(Decimal(1), ROUND_HALF_UP)
    return {
        "sku": part.sku,
        "name": part.name[language],
        "quantity": f"{part.quantity.normalize():f}",
        "unit": part.unit,
        "serials": list(part.serials),
        "price_minor": part.price_minor,
        "amount_minor": int(amount),
        "currency": part.currency,
    }


def _totals(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"currency": currency, "amount_minor": sum(_amounts(lines, currency))}
        for currency in sorted({line["currency"] for line in lines})
    ]


def _amounts(lines: Iterable[dict[str, Any]], currency: str) -> Iterable[int]:
    return (line["amount_minor"] for line in lines if line["currency"] == currency)


def _signed(signature: Signature) -> dict[str, Any]:
    return {
        "signer_name": signature.signer_name,
        "signer_role": signature.signer_role,
        "rating": signature.rating,
        "comment": signature.comment,
        "at": zulu(_utc(signature.at)),
        "shown_hash": signature.document_hash,
        "strokes_hash": signature.strokes_hash,
    }


def _unsigned(answer: Signature) -> dict[str, Any]:
    return {"ending": answer.ending.value, "reason": answer.package["reason"], "at": zulu(_utc(answer.at))}


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None
