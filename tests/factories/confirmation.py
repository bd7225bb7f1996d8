"""Customers who sign."""

import hashlib
import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from server.confirmation import mutators as confirmation
from server.confirmation.canonical import digest
from server.core.db import UnitOfWork
from server.identity.domain import Actor
from server.inventory import mutators as inventory
from server.inventory import service as stock
from server.sync.domain import Occurrence, Outcome
from server.workorders.domain import Action, WorkOrder
from tests.factories import workorders
from tests.factories.inventory import a_part
from tests.factories.media import File
from tests.factories.workforce import an_engineer
from tests.factories.workorders import FIELD, a_procedure, a_visit, an_order, work_until

inventory.register(FIELD)
confirmation.register(FIELD)


def strokes() -> list[list[list[float]]]:
    """A name drawn in two strokes."""
    return [[[x + 60 * part, 40 + 20 * math.sin(x / 6 + part), 12.5 * x] for x in range(50)] for part in range(2)]


def a_signature(uow: UnitOfWork, order: WorkOrder, **changed: Any) -> dict[str, Any]:
    """A package as phones send it today, not attested."""
    return {
        "id": str(uow.new_id()),
        "wo": str(order.id),
        "ending": "signed",
        "signer_name": "Camille Rossi",
        "signer_role": "Technical director",
        "signer_email": "camille@example.com",
        "consent": {"text": "report", "version": "2026-01", "accepted": True},
        "rating": 4,
        "comment": "Quick and clean.",
        "document_hash": hashlib.sha256(b"as shown").hexdigest(),
        "render_hash": hashlib.sha256(b"as drawn").hexdigest(),
        "strokes": strokes(),
        "strokes_hash": digest(strokes()),
        "captured": {
            "at": "2026-11-23T08:59:00+01:00",
            "mono": 512345.0,
            "boot": "a111",
            "geo": {"lon": 7.42, "lat": 43.73, "accuracy_m": 12.0},
        },
        "locale": "en-GB",
    } | changed


def a_refusal(uow: UnitOfWork, order: WorkOrder, **changed: Any) -> dict[str, Any]:
    """The customer read the report and would not sign."""
    return {
        "id": str(uow.new_id()),
        "wo": str(order.id),
        "ending": "declined",
        "signer_name": "Camille Rossi",
        "document_hash": hashlib.sha256(b"as shown").hexdigest(),
        "reason": "Disputes the second hour.",
        "photo": hashlib.sha256(b"the door").hexdigest(),
    } | changed


def an_old_signature(uow: UnitOfWork, order: WorkOrder, **changed: Any) -> dict[str, Any]:
    """A package of the first version, as apps of the last eighteen months may still send it."""
    return {
        "id": str(uow.new_id()),
        "wo": str(order.id),
        "signer_name": "Camille Rossi",
        "signer_role": "Technical director",
        "consent": {"version": "2026-01", "accepted": True},
        "rating": 4,
        "comment": "Quick and clean.",
        "document_hash": hashlib.sha256(b"as shown").hexdigest(),
        "strokes": strokes(),
        "locale": "en-GB",
    } | changed


async def from_phone(
    uow: UnitOfWork, actor: Actor, name: str, args: Mapping[str, Any], *, occurrence: Occurrence | None = None
) -> Outcome:
    """Signatures are of version 2 if they say how it ended; everything else is of version 1."""
    return await workorders.from_phone(uow, actor, name, args, occurrence=occurrence, v=2 if "ending" in args else 1)


async def a_resolved_order(uow: UnitOfWork, dispatcher: Actor, engineer: Actor) -> WorkOrder:
    """An order whose engineer is done and stands before the customer."""
    await an_engineer(uow, engineer)
    order = await an_order(uow, dispatcher)
    await a_visit(uow, dispatcher, engineer, order)
    return await work_until(uow, engineer, order, Action.RESOLVE)


async def a_full_order(uow: UnitOfWork, dispatcher: Actor, engineer: Actor, photo: File) -> WorkOrder:
    """As above, with a checklist answered, a part, an hour, an expense and a photo whose bytes are not here yet."""
    await an_engineer(uow, engineer)
    _, (isolated, heat) = await a_procedure(uow)
    order = await an_order(uow, dispatcher, procedure_key="oven-service")
    await a_visit(uow, dispatcher, engineer, order)
    await work_until(uow, engineer, order, Action.START)
    part = await a_part(uow)
    await stock.give_van(uow, engineer.person, "Van 7")
    started, ended = uow.now().isoformat(), uow.now().isoformat()
    for name, args in (
        ("answer.set", {"item": isolated.id, "value": True}),
        ("answer.set", {"item": heat.id, "value": 262.5}),
        ("part.use", {"part": part.id, "quantity": 2}),
        ("time.add", {"kind": "work", "started_at": started, "ended_at": ended}),
        ("cost.add", {"kind": "parking", "amount_minor": 850, "currency": "EUR", "description": "Port"}),
        ("photo.add", {"sha256": photo.sha256, "caption": "Burnt contact"}),
    ):
        await from_phone(uow, engineer, name, {"id": uow.new_id(), "wo": order.id, **args})
    resolving = {"wo": order.id, "visit": await _visit_of(uow, order), "to": "resolve", "note": "Replaced the contact."}
    await from_phone(uow, engineer, "wo.transition", resolving)
    return order


async def _visit_of(uow: UnitOfWork, order: WorkOrder) -> UUID:
    found: UUID = await uow.value("select id from visit where work_order_id = %(order)s", order=order.id)
    return found
