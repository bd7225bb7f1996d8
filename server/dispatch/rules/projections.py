"""What a phone sees of an order on offer: what is needed to decide, and nothing of the customer's own."""

from server.sync.registry import Registry

OFFER = 41

# The place to about a kilometre: near enough to judge the way, too coarse to find the door.
_OFFER = """
    select f.id, jsonb_build_object(
        'work_order_id', o.id, 'title', o.title, 'problem_type', o.problem_type, 'priority', o.priority,
        'site_name', s.name,
        'place', jsonb_build_object('lon', round(st_x(s.place::geometry)::numeric, 2),
                                    'lat', round(st_y(s.place::geometry)::numeric, 2)),
        'respond_by', o.respond_by, 'window_start', o.window_start, 'window_end', o.window_end,
        'duration_minutes', o.duration_minutes, 'opened_at', f.opened_at, 'closes_at', f.closes_at,
        'skills', coalesce(
            (select jsonb_agg(jsonb_build_object('key', k.key, 'level', w.level) order by k.key)
             from work_order_skill w join skill k on k.id = w.skill_id where w.work_order_id = o.id), '[]')) as d
    from pool_offer f join work_order o on o.id = f.work_order_id join site s on s.id = o.site_id
    where f.id = any(%(ids)s)
"""


def register(registry: Registry) -> None:
    registry.projection(OFFER, "pool_offer", _OFFER)
