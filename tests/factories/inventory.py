"""Parts, places and stock, in the product's words."""

from decimal import Decimal
from uuid import UUID

from server.core.db import UnitOfWork
from server.identity.domain import Actor
from server.inventory import service
from server.inventory.domain import Location, LocationKind, Part, Reason


async def a_part(
    uow: UnitOfWork, sku: str = "CAP-35", *, serial_tracked: bool = False, price_minor: int = 1890
) -> Part:
    return await service.add_part(
        uow,
        sku=sku,
        name={"en": f"Capacitor {sku}", "zh": f"电容器 {sku}"},
        unit="pc",
        serial_tracked=serial_tracked,
        price_minor=price_minor,
        currency="EUR",
    )


async def a_warehouse(uow: UnitOfWork, name: str = "Central") -> Location:
    return await service.add_location(uow, kind=LocationKind.WAREHOUSE, name=name)


async def goods_in(
    uow: UnitOfWork, actor: Actor, part: Part, target: Location, quantity: int, *, serial: str | None = None
) -> None:
    outside = await service.ensure_virtual_locations(uow)
    await service.move(
        uow,
        actor,
        id=uow.new_id(),
        part=part.id,
        source=outside[LocationKind.SUPPLIER].id,
        target=target.id,
        quantity=Decimal(quantity),
        reason=Reason.GOODS_IN,
        serial=serial,
    )


async def transfer(
    uow: UnitOfWork, actor: Actor, part: Part, source: Location, target: Location, quantity: int
) -> UUID:
    movement = uow.new_id()
    await service.move(
        uow,
        actor,
        id=movement,
        part=part.id,
        source=source.id,
        target=target.id,
        quantity=Decimal(quantity),
        reason=Reason.TRANSFER,
    )
    return movement
