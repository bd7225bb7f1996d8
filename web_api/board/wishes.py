"""Whom a customer likes to see, and whom not again."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import Field, StringConstraints

from edge.auth import Work, permitted
from edge.problems import PROBLEMS
from server.core.wire import Id, Line, WireIn, WireOut
from server.dispatch import wishes
from server.dispatch.domain import Wish
from server.identity.domain import Permission

router = APIRouter(prefix="/api/v1", tags=["customers"], responses=PROBLEMS)

type Writer = Annotated[Work, permitted(Permission.CUSTOMERS_WRITE)]


class NewWish(WireIn):
    wish: Annotated[Wish, Field(description="preferred is weighed in rankings; banned keeps the engineer away")]
    why: Annotated[Line, StringConstraints(min_length=1)]


class WishOut(WireOut):
    engineer_id: UUID
    engineer_name: str
    wish: Wish
    why: str
    recorded_by: UUID
    at: datetime


class WishesOut(WireOut):
    items: list[WishOut]


@router.get("/customers/{customer_id}/wishes")
async def list_wishes(customer_id: Id, work: Annotated[Work, permitted(Permission.CUSTOMERS_READ)]) -> WishesOut:
    """What a customer said about engineers, by the engineers' names."""
    found = await wishes.wishes_of(work.uow, work.actor, customer_id)
    return WishesOut(items=[WishOut.model_validate(it) for it in found])


@router.put("/customers/{customer_id}/wishes/{engineer_id}")
async def record_wish(customer_id: Id, engineer_id: Id, body: NewWish, work: Writer) -> WishOut:
    """Record what a customer says about an engineer, in place of what they said before."""
    said = await wishes.record_wish(
        work.uow, work.actor, customer_id=customer_id, engineer_id=engineer_id, wish=body.wish, why=body.why
    )
    return WishOut.model_validate(said)


@router.delete("/customers/{customer_id}/wishes/{engineer_id}", status_code=status.HTTP_204_NO_CONTENT)
async def withdraw_wish(customer_id: Id, engineer_id: Id, work: Writer) -> None:
    """Forget what a customer said about an engineer."""
    await wishes.withdraw_wish(work.uow, work.actor, customer_id=customer_id, engineer_id=engineer_id)
