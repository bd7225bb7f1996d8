"""What a phone sees of its person's way through a shift."""

from server.sync.registry import Registry

ROUTE = 42

_ROUTE = """
    select r.id, jsonb_build_object(
        'shift_id', r.id, 'leaves_at', r.leaves_at, 'rests_at', r.rests_at, 'returns_at', r.returns_at,
        'stops', r.stops) as d
    from route r where r.id = any(%(ids)s)
"""


def register(registry: Registry) -> None:
    registry.projection(ROUTE, "route", _ROUTE)
