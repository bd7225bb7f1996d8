-- What is known of earlier decisions and visits, of every organisation.
alter table assignment_decision no force row level security;
alter table score_weights no force row level security;
alter table person no force row level security;
alter table first_fix no force row level security;
alter table visit no force row level security;
alter table work_order no force row level security;
alter table timeline_entry no force row level security;

-- Until now candidates and the excluded stood in one list, and a decision named nobody.
update assignment_decision d set
    engineer_name = coalesce((select p.name from person p where p.org_id = d.org_id and p.id = d.engineer_id), ''),
    decided_by_name = (select p.name from person p where p.org_id = d.org_id and p.id = d.decided_by),
    weights = coalesce(
        (select w.weights from score_weights w where w.org_id = d.org_id and w.version = d.weights_version), '{}'),
    candidates = coalesce(
        (select jsonb_agg(l.line || jsonb_build_object('rank', l.rank) order by l.rank)
         from jsonb_array_elements(d.candidates) with ordinality l(line, rank) where l.line ? 'factors'), '[]'),
    excluded = coalesce(
        (select jsonb_agg(l.line order by l.rank)
         from jsonb_array_elements(d.candidates) with ordinality l(line, rank) where l.line ? 'reasons'), '[]'),
    chosen_rank = (
        select l.rank from jsonb_array_elements(d.candidates) with ordinality l(line, rank)
        where l.line ? 'factors' and l.line ->> 'engineer_id' = d.engineer_id::text);
update assignment_decision set how = 'suggested' where chosen_rank = 1;

insert into first_fix (org_id, problem_type, engineer_id, tried, fixed)
select v.org_id, o.problem_type, v.engineer_id, count(*), count(*) filter (
           where not exists (
               select from visit later
               where later.org_id = v.org_id and later.work_order_id = v.work_order_id and later.state = 'completed'
                 and later.id <> v.id and later.finished_at < v.finished_at + interval '30 days')
           and not exists (
               select from timeline_entry t
               where t.org_id = v.org_id and t.work_order_id = v.work_order_id and t.action = 'reopen'
                 and t.at >= v.finished_at and t.at < v.finished_at + interval '30 days'))
from visit v join work_order o on o.org_id = v.org_id and o.id = v.work_order_id
where v.state = 'completed' and v.engineer_id is not null and o.voided_at is null and not exists (
    select from visit before
    where before.org_id = v.org_id and before.work_order_id = v.work_order_id and before.state = 'completed'
      and before.ordinal < v.ordinal)
group by v.org_id, o.problem_type, v.engineer_id;

alter table timeline_entry force row level security;
alter table work_order force row level security;
alter table visit force row level security;
alter table first_fix force row level security;
alter table person force row level security;
alter table score_weights force row level security;
alter table assignment_decision force row level security;
