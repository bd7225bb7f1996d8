"""What a phone sees of stock: the catalogue, its own van with what lies in it, and what is promised or on the way."""

from server.sync.registry import Registry

STOCK, LOCATION, PART = 14, 15, 18
RESERVATION, TRANSFER = 30, 31

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
_RESERVATION = """
    select r.id, jsonb_build_object(
        'work_order_id', r.work_order_id, 'part_id', r.part_id, 'location_id', r.location_id,
        'quantity', trim_scale(r.quantity), 'used', trim_scale(r.used), 'state', r.state,
        'expires_at', r.expires_at) as d
    from reservation r where r.id = any(%(ids)s)
"""
_TRANSFER = """
    select t.id, jsonb_build_object(
        'part_id', t.part_id, 'serial', t.serial, 'from_id', t.from_id, 'to_id', t.to_id, 'into_id', t.into_id,
        'state', t.state, 'sent', trim_scale(t.sent), 'sent_at', t.sent_at, 'received', trim_scale(t.received),
        'received_at', t.received_at) as d
    from transfer t where t.id = any(%(ids)s)
"""


def register(registry: Registry) -> None:
    registry.projection(STOCK, "stock", _STOCK)
    registry.projection(LOCATION, "stock_location", _LOCATION)
    registry.projection(PART, "part", _PART)
    registry.projection(RESERVATION, "reservation", _RESERVATION)
    registry.projection(TRANSFER, "transfer", _TRANSFER)
