"""What a phone sees of its own person: name, language and shifts."""

from server.sync.registry import Registry

PERSON, SHIFT = 16, 17

_PERSON = """
    select p.id, jsonb_build_object('name', p.name, 'language', p.language) as d
    from person p where p.id = any(%(ids)s)
"""
_SHIFT = """
    select s.id, jsonb_build_object(
        'starts_at', s.starts_at, 'ends_at', s.ends_at, 'break_opens', s.break_opens, 'break_closes', s.break_closes,
        'break_minutes', s.break_minutes) as d
    from shift s where s.id = any(%(ids)s)
"""


def register(registry: Registry) -> None:
    registry.projection(PERSON, "person", _PERSON)
    registry.projection(SHIFT, "shift", _SHIFT)
