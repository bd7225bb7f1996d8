"""What a phone sees of its person's open questions: what met somebody else's work, what could not be taken in."""

from server.sync.registry import Registry

REVIEW_ITEM = 40

_REVIEW_ITEM = """
    select i.id, jsonb_build_object(
        'kind', i.kind, 'code', i.code, 'name', i.name, 'mutation_id', i.mutation_id,
        'work_order_id', i.work_order_id, 'opened_at', i.opened_at, 'state', i.state, 'verdict', i.verdict,
        'settled_at', i.settled_at, 'settled_by_name', p.name) as d
    from review_item i left join person p on (p.org_id, p.id) = (i.org_id, i.settled_by)
    where i.id = any(%(ids)s)
"""


def register(registry: Registry) -> None:
    registry.projection(REVIEW_ITEM, "review_item", _REVIEW_ITEM)
