"""What a phone sees of the customer file; which customers and sites those are follows from visits, far above."""

from server.sync.registry import Registry

CUSTOMER, CONTACT, SITE, ASSET = 9, 10, 11, 12

_CUSTOMER = """
    select c.id, jsonb_build_object(
        'number', c.number, 'name', c.name, 'tier', c.tier, 'phone', c.phone, 'language', c.language,
        'tags', to_jsonb(c.tags), 'notes', c.notes) as d
    from customer c where c.id = any(%(ids)s)
"""
_CONTACT = """
    select t.id, jsonb_build_object(
        'customer_id', t.customer_id, 'name', t.name, 'role', t.role, 'phone', t.phone, 'email', t.email) as d
    from contact t where t.id = any(%(ids)s)
"""
_SITE = """
    select s.id, jsonb_build_object(
        'customer_id', s.customer_id, 'name', s.name, 'address', s.address, 'lon', st_x(s.place::geometry),
        'lat', st_y(s.place::geometry), 'access_notes', s.access_notes,
        'meter_location', s.meter_location, 'fence_radius_m', s.fence_radius_m,
        'fence_area', st_asgeojson(s.fence_area)::jsonb) as d
    from site s where s.id = any(%(ids)s)
"""
_ASSET = """
    select a.id, jsonb_build_object(
        'site_id', a.site_id, 'product', a.product, 'model', a.model, 'serial', a.serial,
        'installed_on', a.installed_on, 'warranty_until', a.warranty_until, 'status', a.status,
        'notes', a.notes, 'twin_of', a.twin_of) as d
    from asset a where a.id = any(%(ids)s)
"""


def register(registry: Registry) -> None:
    registry.projection(CUSTOMER, "customer", _CUSTOMER)
    registry.projection(CONTACT, "contact", _CONTACT)
    registry.projection(SITE, "site", _SITE)
    registry.projection(ASSET, "asset", _ASSET)
