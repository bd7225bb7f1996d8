-- A partition for each day (UTC): a day that nobody keeps any more is dropped, not deleted row by row. The key begins
-- with what is asked for, so there is one index to keep.
alter table position_track no force row level security;
alter table position_track rename to position_track_before;
alter index position_track_pkey rename to position_track_before_pkey;

create table position_track (
    org_id uuid not null,
    person_id uuid not null,
    fixed_at timestamptz not null,
    device_id uuid not null,
    seq bigint not null,
    place geography(point, 4326) not null,
    accuracy_m integer not null,
    primary key (org_id, person_id, fixed_at, device_id, seq)
) partition by range (fixed_at);

-- Partitions are tables too: each has the policy of the whole, should anybody be allowed to name one some day.
-- The runtime role owns nothing, so it makes and drops days through these.
create function make_track_days(first date, last date) returns integer
    language plpgsql security definer set search_path = public
as $$
declare
    day date;
    name text;
    made integer := 0;
begin
    if last - first > 400 then
        raise exception 'more than 400 days at once';
    end if;
    -- Two who miss the same day make it once.
    perform pg_advisory_xact_lock(hashtext('callout.track_days'));
    for day in select d::date from generate_series(first, last, interval '1 day') d loop
        name := 'position_track_' || to_char(day, 'YYYYMMDD');
        continue when to_regclass(name) is not null;
        execute format('create table %I (like position_track including all)', name);
        execute format('alter table %I enable row level security, force row level security', name);
        execute format(
            'create policy one_organisation on %I to callout_app '
            'using (org_id = (select callout_org())) with check (org_id = (select callout_org()))', name);
        -- Attached rather than made as a partition, which would hold up whoever writes to the others.
        execute format(
            'alter table position_track attach partition %I for values from (%L) to (%L)',
            name, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
        made := made + 1;
    end loop;
    return made;
end;
$$;

-- Drops the days that no organisation keeps any more; answers how many.
create function drop_track_days(present timestamptz) returns integer
    language plpgsql security definer set search_path = public
as $$
declare
    keep integer;
    day record;
    dropped integer := 0;
begin
    select coalesce(max(coalesce(p.keep_track_days, 30)), 30) into keep
    from organisation o left join position_policy p on p.org_id = o.id;
    for day in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'position_track'::regclass
          and (to_date(right(c.relname, 8), 'YYYYMMDD') + 1)::timestamp at time zone 'UTC'
              <= present - make_interval(days => keep)
        order by c.relname
    loop
        execute format('drop table %I', day.relname);
        dropped := dropped + 1;
    end loop;
    return dropped;
end;
$$;

-- At most so many ranges: beyond that the oldest half counts as one. A phone numbers its fixes one after the other, so
-- only a broken one ever comes here.
create function position_seen(seen int8multirange, most integer) returns int8multirange
    language sql immutable
return case
    when (select count(*) from unnest(seen)) <= most then seen
    else seen + int8multirange(int8range(
        lower(seen), (select upper(r) from unnest(seen) r order by r offset most / 2 limit 1)))
end;

create policy door on position_policy for select to callout_owner using (true);

revoke execute on function make_track_days, drop_track_days from public;
grant execute on function make_track_days, drop_track_days to callout_app;

alter table position_stream no force row level security;
insert into position_stream (org_id, device_id, seen)
select org_id, device_id, range_agg(int8range(seq, seq, '[]')) from position_track_before group by org_id, device_id;
alter table position_stream force row level security;

-- What is older is nobody's to keep.
select make_track_days(min(fixed_at at time zone 'UTC')::date, max(fixed_at at time zone 'UTC')::date)
from position_track_before where fixed_at > now() - interval '30 days' having count(*) > 0;
insert into position_track (org_id, person_id, fixed_at, device_id, seq, place, accuracy_m)
select org_id, person_id, fixed_at, device_id, seq, place, accuracy_m
from position_track_before where fixed_at > now() - interval '30 days';
drop table position_track_before;
