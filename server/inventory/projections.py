"""What a phone sees of stock: the catalogue, and its own van with what lies in it."""

from server.sync.registry import Registry

STOCK, LOCATION, PART = 14, 15, 18

_STOCK = """
    select s.id, jsonb_build_object(
        'location_id', s.location_id, 'part_id', s.part_id, 'quantity', trim_scale(s.quantity)) as d
    from stock s where s.id = any(%(ids)s)
"""
_LOCATION = """
    select l.id, jsonb_build_object('name', l.name, 'kind', l.kind) as d
    from stock_location l where l.id = any(%(ids)s)
"""
_PART = """
    select p.id, jsonb_build_object(
        'sku', p.sku, 'name', p.name, 'unit', p.unit, 'serial_tracked', p.serial_tracked,
        'price_minor', p.price_minor, 'currency', p.currency) as d
    from part p where p.id = any(%(ids)s)
"""


def register(registry: Registry) -> None:
    registry.projection(STOCK, "stock", _STOCK)
    registry.projection(LOCATION, "stock_location", _LOCATION)
    registry.projection(PART, "part", _PART)
