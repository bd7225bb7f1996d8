"""What a usage costs: the statements between a phone's word and the ledger."""

from contextlib import contextmanager

import pytest

from server.core.db import UnitOfWork
from server.inventory import service
from server.workorders.domain import Action
from tests.factories.confirmation import from_phone
from tests.factories.inventory import a_part, goods_in
from tests.factories.workforce import an_engineer
from tests.factories.workorders import a_visit, an_order, work_until


@pytest.fixture
async def order(uow, dispatcher, engineer):
    await an_engineer(uow, engineer)
    order = await an_order(uow, dispatcher)
    await a_visit(uow, dispatcher, engineer, order)
    return await work_until(uow, engineer, order, Action.START)


@contextmanager
def counted(monkeypatch):
    """Collect what a unit of work sends, savepoints of the engine aside."""
    sent: list[str] = []
    with monkeypatch.context() as patch:
        for name in ("rows", "row", "all_of", "one_of", "run", "run_many"):
            patch.setattr(UnitOfWork, name, _counting(getattr(UnitOfWork, name), sent))
        yield sent


def _counting(original, sent):
    async def call(self, *arguments, **params):
        sent.append(next(it for it in arguments if isinstance(it, str)))
        return await original(self, *arguments, **params)

    return call


async def test_a_usage_takes_five_statements_and_one_more_where_stock_was_promised(
    uow, monkeypatch, administrator, engineer, order
):
    from decimal import Decimal

    from server.inventory import reservations

    part, van = await a_part(uow), await service.give_van(uow, engineer.person, "Van 7")
    await goods_in(uow, administrator, part, van, 5)

    async def cost() -> int:
        said = {"id": uow.new_id(), "wo": order.id, "part": part.id, "quantity": 1}
        with counted(monkeypatch) as sent:
            await from_phone(uow, engineer, "part.use", said)
        return len(sent)

    assert await cost() == 5
    await reservations.reserve(
        uow, administrator, work_order_id=order.id, part_id=part.id, location_id=van.id, quantity=Decimal(2)
    )
    assert await cost() == 6
