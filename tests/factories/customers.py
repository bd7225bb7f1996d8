"""Customers with a site and a machine, in the product's words."""

from server.core.db import UnitOfWork
from server.customers import service
from server.customers.domain import Asset, Customer, Site, Tier
from server.geo.domain import Point

MONTE_CARLO = Point(7.4246, 43.7384)


async def a_customer(uow: UnitOfWork, name: str = "Hotel Azur", **details) -> Customer:
    return await service.add_customer(uow, name=name, **details)


async def a_vip(uow: UnitOfWork, name: str = "Palais Princier") -> Customer:
    return await service.add_customer(uow, name=name, tier=Tier.VIP)


async def a_site(
    uow: UnitOfWork, customer: Customer | None = None, *, name: str = "Kitchen", place: Point = MONTE_CARLO
) -> Site:
    customer = customer or await a_customer(uow)
    return await service.add_site(uow, customer_id=customer.id, name=name, address="1 Quai Antoine", place=place)


async def an_asset(uow: UnitOfWork, site: Site, serial: str = "OV-1001", product: str = "oven") -> Asset:
    return await service.add_asset(uow, site_id=site.id, product=product, model="Combi 10", serial=serial)
