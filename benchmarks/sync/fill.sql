-- Fill the organisation: per team 100 sites with two assets and two orders each, everything recorded on them this
-- morning. Sizes come as settings `bench.…`. Ids are UUIDv7 as phones mint them, spread over a month.
do $$
#variable_conflict use_column
declare  -- names of columns win over these
    org uuid := current_setting('bench.org');
    team integer := current_setting('bench.team');
    teams integer := current_setting('bench.teams');
    orders integer := current_setting('bench.orders');
    parts integer := current_setting('bench.parts');
    procedure_id uuid;
begin
    create function pg_temp.id() returns uuid language sql volatile as $f$
        select encode(overlay(uuid_send(gen_random_uuid()) placing
            substring(int8send((extract(epoch from now() - random() * interval '30 days') * 1000)::bigint) from 3)
            from 1 for 6), 'hex')::uuid
    $f$;


    insert into part (org_id, id, sku, name, unit, serial_tracked, price_minor, currency)
    select org, pg_temp.id(), 'P-' || n, jsonb_build_object('en', 'Seal kit ' || n, 'zh', '密封件 ' || n), 'pcs', false,
           n * 10, 'EUR'
    from generate_series(1, parts) n;

    procedure_id := pg_temp.id();
    insert into procedure (org_id, id, key, version, name)
    values (org, procedure_id, 'inspection', 1, '{"en": "Inspection", "zh": "检查"}');
    insert into procedure_item (org_id, id, procedure_id, ordinal, kind, label, required, choices)
    select org, pg_temp.id(), procedure_id, n, 'number', jsonb_build_object('en', 'Reading ' || n), false, '[]'
    from generate_series(1, 12) n;

    create temporary table member on commit drop as
    select id as person, (row_number() over (order by id) - 1) / team as team, row_number() over (order by id) as number
    from person where org_id = org;

    insert into stock_location (org_id, id, kind, name, person_id)
    select org, pg_temp.id(), 'van', 'Van ' || number, person from member;
    insert into stock_location (org_id, id, kind, name)
    select org, pg_temp.id(), kind, initcap(kind) from unnest('{supplier,consumed,adjustment}'::text[]) kind;
    insert into stock_movement (org_id, id, part_id, from_id, to_id, quantity, reason, moved_by, at, recorded_at)
    select org, pg_temp.id(), p.id, s.id, v.id, 20, 'goods_in', v.person_id, now(), now()
    from stock_location s cross join stock_location v cross join (select id from part limit 150) p
    where s.kind = 'supplier' and v.kind = 'van' and s.org_id = org and v.org_id = org;

    create temporary table place on commit drop as
    select pg_temp.id() as customer, pg_temp.id() as site, t as team, n
    from generate_series(0, teams - 1) t, generate_series(1, orders / 2) n;
    insert into customer (org_id, id, number, name, tier, language, tags, notes, created_at)
    select org, customer, 'C-' || team || '-' || n, 'Hotel ' || team || '-' || n, 'standard', 'fr', '{hotel}',
           'Ring at the side entrance', now() from place;
    insert into contact (org_id, id, customer_id, name, role, phone)
    select org, pg_temp.id(), customer, 'M. Blanc ' || n, 'technician', '+33 4 93 00 00 ' || n from place;
    insert into site (org_id, id, customer_id, name, address, place, access_notes, fence_radius_m, version, created_at)
    select org, site, customer, 'Main building', n || ' avenue de la Gare, Nice',
           st_makepoint(7.2 + random() / 10, 43.7 + random() / 10)::geography, 'Key at reception', 500, 1, now()
    from place;
    create temporary table asset_at on commit drop as
    select pg_temp.id() as asset, site, k from place cross join generate_series(1, 2) k;
    insert into asset (org_id, id, site_id, product, model, serial, status, notes, version)
    select org, asset, site, 'Heat pump', 'HP-' || k, 'SN-' || asset, 'in_service', '', 1 from asset_at;

    create temporary table job on commit drop as
    select pg_temp.id() as wo, p.customer, p.site, p.team, a.asset, row_number() over () as number
    from place p join asset_at a on a.site = p.site;
    insert into work_order (org_id, id, number, customer_id, site_id, asset_id, title, problem_type, description,
        priority, channel, state, reported_at, reported_by, respond_by, duration_minutes, procedure_id, version)
    select org, wo, number, customer, site, asset, 'Heat pump makes noise', 'noise',
           'Customer hears a rattling noise in the evening, mostly when it is cold outside', 'normal', 'phone',
           'working', now() - interval '1 day', 'M. Blanc', now() + interval '2 days', 90, procedure_id, 3
    from job;
    insert into visit (org_id, id, work_order_id, ordinal, state, engineer_id, planned_start, planned_end, finished_at,
        version)
    select org, pg_temp.id(), wo, m.number, 'completed', m.person, now() - interval '3 hours', now() - interval '1 hour',
           now() - interval '1 hour', 4
    from job join member m on m.team = job.team;

    create temporary table deed on commit drop as
    select wo, (select min(m.person::text)::uuid from member m where m.team = job.team) as person,
           now() - random() * interval '6 hours' as at from job;
    insert into note (org_id, id, work_order_id, author_id, body, at)
    select org, pg_temp.id(), wo, person, 'Checked valve ' || n || ' and cleaned filter ' || (random() * 1000)::int, at
    from deed cross join generate_series(1, 10) n;
    insert into checklist_answer (org_id, id, work_order_id, item_id, value, answered_by, at)
    select org, pg_temp.id(), wo, i.id, to_jsonb(round((random() * 100)::numeric, 1)), person, at
    from deed cross join procedure_item i where i.org_id = org;
    insert into time_entry (org_id, id, work_order_id, person_id, kind, started_at, ended_at)
    select org, pg_temp.id(), wo, person, k, at, at + interval '20 minutes'
    from deed cross join unnest('{travel,work,work,break}'::text[]) k;
    insert into cost (org_id, id, work_order_id, person_id, kind, amount_minor, currency, description, at)
    select org, pg_temp.id(), wo, person, 'parking', 350, 'EUR', 'Parking', at from deed;
    insert into photo (org_id, id, work_order_id, author_id, sha256, caption, at, state)
    select org, pg_temp.id(), wo, person, encode(sha256(uuid_send(gen_random_uuid())), 'hex'), 'Nameplate', at, 'derived'
    from deed cross join generate_series(1, 3) n;
end;
$$;
