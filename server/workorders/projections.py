"""What a phone sees of work orders, and which of them a person is given."""

from server.sync.registry import Registry

WORK_ORDER, VISIT, NOTE, ANSWER, TIME, COST, PHOTO, HISTORY, PROCEDURE, ITEM = 1, 2, 3, 4, 5, 6, 7, 13, 19, 20

_WORK_ORDER = """
    select o.id, jsonb_build_object(
        'number', o.number, 'customer_id', o.customer_id, 'site_id', o.site_id, 'asset_id', o.asset_id,
        'title', o.title, 'problem_type', o.problem_type, 'description', o.description, 'priority', o.priority,
        'state', o.state, 'hold_reason', o.hold_reason, 'window_start', o.window_start, 'window_end', o.window_end,
        'duration_minutes', o.duration_minutes, 'procedure_id', o.procedure_id, 'respond_by', o.respond_by,
        'findings', o.findings, 'description_rev', o.description_rev, 'findings_rev', o.findings_rev) as d
    from work_order o where o.id = any(%(ids)s)
"""
_VISIT = """
    select v.id, jsonb_build_object(
        'work_order_id', v.work_order_id, 'ordinal', v.ordinal, 'state', v.state, 'engineer_id', v.engineer_id,
        'planned_start', v.planned_start, 'planned_end', v.planned_end, 'approached_at', v.approached_at,
        'pin', v.pin) as d
    from visit v where v.id = any(%(ids)s)
"""
_NOTE = """
    select n.id, jsonb_build_object(
        'work_order_id', n.work_order_id, 'author_name', p.name, 'body', n.body, 'at', n.at) as d
    from note n join person p on p.id = n.author_id where n.id = any(%(ids)s)
"""
_ANSWER = """
    select a.id, jsonb_build_object(
        'work_order_id', a.work_order_id, 'item_id', a.item_id, 'value', a.value, 'answered_by', a.answered_by,
        'at', a.at, 'superseded_by', a.superseded_by, 'disputed', a.disputed) as d
    from checklist_answer a where a.id = any(%(ids)s)
"""
_TIME = """
    select t.id, jsonb_build_object(
        'work_order_id', t.work_order_id, 'visit_id', t.visit_id, 'person_id', t.person_id, 'kind', t.kind,
        'started_at', t.started_at, 'ended_at', t.ended_at, 'device_started_at', t.device_started_at,
        'device_ended_at', t.device_ended_at, 'uncertainty_ms', t.uncertainty_ms, 'started_zone', t.started_zone,
        'ended_zone', t.ended_zone, 'flags', to_jsonb(t.flags), 'revision', t.revision,
        'superseded_by', t.superseded_by, 'approved', t.approved_at is not null) as d
    from time_entry t where t.id = any(%(ids)s)
"""
_COST = """
    select k.id, jsonb_build_object(
        'work_order_id', k.work_order_id, 'visit_id', k.visit_id, 'person_id', k.person_id, 'kind', k.kind,
        'amount_minor', k.amount_minor, 'currency', k.currency, 'description', k.description, 'at', k.at) as d
    from cost k where k.id = any(%(ids)s)
"""
_PHOTO = """
    select f.id, jsonb_build_object(
        'work_order_id', f.work_order_id, 'visit_id', f.visit_id, 'sha256', f.sha256, 'caption', f.caption, 'at', f.at,
        'hidden', f.hidden_why is not null, 'state', f.state, 'undecodable_why', f.undecodable_why, 'width', f.width,
        'height', f.height, 'blurhash', f.blurhash, 'missing', f.missing_told_at is not null) as d
    from photo f where f.id = any(%(ids)s)
"""
# What happened at a site before. Closing an order touches the order itself, so what hangs on it travels then.
_HISTORY = """
    select o.id, jsonb_build_object(
        'work_order_id', o.id, 'number', o.number, 'title', case when o.voided_at is null then o.title else '' end,
        'problem_type', o.problem_type, 'state', o.state, 'voided', o.voided_at is not null,
        'reported_at', o.reported_at, 'closed_at', o.closed_at, 'asset_id', o.asset_id,
        'notes', coalesce(
            (select jsonb_agg(jsonb_build_object('body', n.body, 'at', n.at) order by n.at desc)
             from (select body, at from note where work_order_id = o.id and o.voided_at is null
                   order by at desc limit 3) n), '[]'),
        'rating', (select g.rating from signature g where g.work_order_id = o.id order by g.at desc limit 1),
        'findings', case when o.voided_at is null then o.findings else '' end,
        'visits', coalesce(
            (select jsonb_agg(jsonb_build_object(
                'engineer_name', p.name, 'state', v.state, 'finished_at', v.finished_at) order by v.ordinal desc)
             from visit v left join person p on (p.org_id, p.id) = (v.org_id, v.engineer_id)
             where v.work_order_id = o.id and v.state in ('completed', 'interrupted') and o.voided_at is null), '[]'),
        'parts', coalesce(
            (select jsonb_agg(jsonb_build_object('part_id', u.part_id, 'quantity', trim_scale(u.quantity))
                              order by u.part_id)
             from (select m.part_id, sum(case t.kind when 'consumed' then m.quantity else -m.quantity end) as quantity
                   from stock_movement m
                   join stock_location f on (f.org_id, f.id) = (m.org_id, m.from_id)
                   join stock_location t on (t.org_id, t.id) = (m.org_id, m.to_id)
                   where m.work_order_id = o.id and o.voided_at is null and 'consumed' in (f.kind, t.kind)
                   group by m.part_id) u
             where u.quantity <> 0), '[]')) as d
    from work_order o where o.id = any(%(ids)s)
"""
_PROCEDURE = """
    select p.id, jsonb_build_object('key', p.key, 'version', p.version, 'name', p.name) as d
    from procedure p where p.id = any(%(ids)s)
"""
_ITEM = """
    select i.id, jsonb_build_object(
        'procedure_id', i.procedure_id, 'ordinal', i.ordinal, 'kind', i.kind, 'label', i.label,
        'required', i.required, 'safety_critical', i.safety_critical,
        'unit', i.unit, 'minimum', i.minimum, 'maximum', i.maximum, 'choices', i.choices) as d
    from procedure_item i where i.id = any(%(ids)s)
"""

# Photos whose bytes somebody may still have on a phone: whoever took them, and whoever once announced these very bytes
# (who therefore learns nothing new). A quarter is as long as a device keeps what it sent.
_AWAITED_FILES = """
    select f.sha256 from photo f
    where f.state = 'pending_blob' and f.hidden_why is null and f.at > %(now)s::timestamptz - interval '90 days'
      and (f.author_id = %(person)s or exists (
        select from blob_holder h
        where (h.org_id, h.sha256, h.person_id) = (f.org_id, f.sha256, %(person)s)))
      and not exists (select from blob b where b.org_id = f.org_id and b.sha256 = f.sha256 and b.state = 'ready')
"""


def register(registry: Registry) -> None:
    registry.awaited_files(_AWAITED_FILES)
    registry.projection(WORK_ORDER, "work_order", _WORK_ORDER)
    registry.projection(VISIT, "visit", _VISIT)
    registry.projection(NOTE, "note", _NOTE)
    registry.projection(ANSWER, "checklist_answer", _ANSWER)
    registry.projection(TIME, "time_entry", _TIME)
    registry.projection(COST, "cost", _COST)
    registry.projection(PHOTO, "photo", _PHOTO)
    registry.projection(HISTORY, "history", _HISTORY)
    registry.projection(PROCEDURE, "procedure", _PROCEDURE)
    registry.projection(ITEM, "procedure_item", _ITEM)
