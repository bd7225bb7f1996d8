-- The change feed, by statement: a change of ten thousand rows raises its bucket once, and a transaction that
-- touches a bucket five times raises it once too.

drop trigger sync_1 on work_order;
drop trigger sync_1_update on work_order;
drop trigger sync_2 on visit;
drop trigger sync_2_update on visit;
drop trigger sync_3 on note;
drop trigger sync_3_update on note;
drop trigger sync_4 on checklist_answer;
drop trigger sync_4_update on checklist_answer;
drop trigger sync_5 on time_entry;
drop trigger sync_5_update on time_entry;
drop trigger sync_6 on cost;
drop trigger sync_6_update on cost;
drop trigger sync_7 on photo;
drop trigger sync_7_update on photo;
drop trigger sync_8 on signature;
drop trigger sync_8_update on signature;
drop trigger sync_9 on customer;
drop trigger sync_9_update on customer;
drop trigger sync_10 on contact;
drop trigger sync_10_update on contact;
drop trigger sync_11 on site;
drop trigger sync_11_update on site;
drop trigger sync_12 on asset;
drop trigger sync_12_update on asset;
drop trigger sync_13 on work_order;
drop trigger sync_13_update on work_order;
drop trigger sync_14 on stock;
drop trigger sync_14_update on stock;
drop trigger sync_15 on stock_location;
drop trigger sync_15_update on stock_location;
drop trigger sync_16 on person;
drop trigger sync_16_update on person;
drop trigger sync_17 on shift;
drop trigger sync_17_update on shift;
drop trigger sync_18 on part;
drop trigger sync_18_update on part;
drop trigger sync_19 on procedure;
drop trigger sync_19_update on procedure;
drop trigger sync_20 on procedure_item;
drop trigger sync_20_update on procedure_item;
drop procedure sync_feed;
drop function sync_touch;
drop function sync_record;

-- Record that entities came into buckets ('p') or left them ('d'); the four arrays run in parallel.
create function sync_record(what smallint, orgs uuid[], keys text[], ids uuid[], ops "char"[]) returns void
    language plpgsql
as $$
begin
    if orgs is null then
        return;
    end if;
    -- A bucket's row stays locked until the writer commits, so versions become visible in the order they were given.
    -- Sorted, because two statements that touch the same buckets must not wait for each other crosswise. Undoing a
    -- savepoint takes the mark of the writer back too.
    insert into sync_bucket as b (org_id, key, version, min_version, writer)
    select distinct t.org, t.key, 1, 0, pg_current_xact_id()::text::bigint from unnest(orgs, keys) t (org, key)
    where t.key is not null order by t.org, t.key
    on conflict (org_id, key) do update set version = b.version + 1, writer = excluded.writer
    where b.writer is distinct from excluded.writer;

    insert into sync_entry as e (org_id, bucket_id, entity, entity_id, bv, op, at)
    select t.org, b.id, what, t.id, b.version, t.op, now()
    from unnest(orgs, keys, ids, ops) t (org, key, id, op) join sync_bucket b on (b.org_id, b.key) = (t.org, t.key)
    on conflict (org_id, bucket_id, entity, entity_id) do update
    set bv = excluded.bv, op = excluded.op, at = excluded.at;
end;
$$;

create function sync_refuse_truncate() returns trigger
    language plpgsql
as $$
begin
    raise exception 'TRUNCATE % would be seen by no phone; use DELETE', tg_table_name;
end;
$$;

-- Let phones learn of every change of a table. A row lies in the bucket its `bucket_column` names ('' for one shared
-- bucket), and in a second one of the same kind where `also_column` names it: both are locked by one sorted statement.
-- The function is written out per feed so that its statements are planned once and not at every change.
create procedure sync_feed(
    source text, entity smallint, prefix text, bucket_column text, id_column text default 'id',
    also_column text default ''
)
    language plpgsql
as $$
declare
    keys text := case when bucket_column = '' then format('array[%L]', prefix)
                      when also_column = '' then format('array[%L || row.%I]', prefix, bucket_column)
                      else format('array[%1$L || row.%2$I, %1$L || row.%3$I]', prefix, bucket_column, also_column) end;
    tell text := format('perform sync_record(%s::smallint, array_agg(c.org_id), array_agg(c.key), array_agg(c.id), '
                        'array_agg(c.op)) from', entity);
    living text := format('select n.org_id, k.key, n.%I as id, ''p''::"char" as op from new_rows n, unnest(%s) k (key)',
                          id_column, replace(keys, 'row.', 'n.'));
    leaving text := format('select o.org_id, k.key, o.%I as id, ''d''::"char" as op from old_rows o, unnest(%s) k (key)',
                           id_column, replace(keys, 'row.', 'o.'));
begin
    execute format(
        $body$
        create function sync_touch_%1$s() returns trigger language plpgsql as $touch$
        begin
            if tg_op = 'INSERT' then
                %2$s (%3$s) c;
            elsif tg_op = 'DELETE' then
                %2$s (%4$s) c;
            else
                %2$s (
                    %3$s where not exists (
                        select from old_rows o
                        where o.org_id = n.org_id and o.%5$I = n.%5$I and o.* is not distinct from n.*)
                    union all
                    %4$s where not exists (
                        select from new_rows n where n.org_id = o.org_id and n.%5$I = o.%5$I and k.key = any(%6$s))
                ) c;
            end if;
            return null;
        end;
        $touch$
        $body$, entity, tell, living, leaving, id_column, replace(keys, 'row.', 'n.'));
    execute format(
        'create trigger sync_%1$s after insert on %2$I referencing new table as new_rows '
        'for each statement execute function sync_touch_%1$s(%1$L, %3$L, %4$L, %5$L)',
        entity, source, prefix, bucket_column, id_column);
    execute format(
        'create trigger sync_%1$s_update after update on %2$I referencing old table as old_rows new table as new_rows '
        'for each statement execute function sync_touch_%1$s()', entity, source);
    execute format(
        'create trigger sync_%1$s_delete after delete on %2$I referencing old table as old_rows '
        'for each statement execute function sync_touch_%1$s()', entity, source);
    execute format(
        'create or replace trigger sync_no_truncate before truncate on %I '
        'for each statement execute function sync_refuse_truncate()', source);
end;
$$;

call sync_feed('work_order', 1::smallint, 'wo:', 'id');
call sync_feed('visit', 2::smallint, 'wo:', 'work_order_id');
call sync_feed('note', 3::smallint, 'wo:', 'work_order_id');
call sync_feed('checklist_answer', 4::smallint, 'wo:', 'work_order_id');
call sync_feed('time_entry', 5::smallint, 'wo:', 'work_order_id');
call sync_feed('cost', 6::smallint, 'wo:', 'work_order_id');
call sync_feed('photo', 7::smallint, 'wo:', 'work_order_id');
call sync_feed('signature', 8::smallint, 'wo:', 'work_order_id');
call sync_feed('customer', 9::smallint, 'customer:', 'id');
call sync_feed('contact', 10::smallint, 'customer:', 'customer_id');
call sync_feed('site', 11::smallint, 'site:', 'id');
call sync_feed('asset', 12::smallint, 'site:', 'site_id');
-- An order is also part of its site's history, for whoever works there next.
call sync_feed('work_order', 13::smallint, 'history:', 'site_id');
call sync_feed('stock', 14::smallint, 'van:', 'location_id');
call sync_feed('stock_location', 15::smallint, 'van:', 'id');
call sync_feed('person', 16::smallint, 'user:', 'id');
call sync_feed('shift', 17::smallint, 'user:', 'person_id');
call sync_feed('part', 18::smallint, 'catalog:parts', '');
call sync_feed('procedure', 19::smallint, 'catalog:procedures', '');
call sync_feed('procedure_item', 20::smallint, 'catalog:procedures', '');

-- The organisation is looked up once a statement, not once a row: see `secure`.
do $$
declare
    policy record;
begin
    for policy in select tablename, case tablename when 'organisation' then 'id' else 'org_id' end as key
                  from pg_policies where policyname = 'one_organisation' loop
        execute format('alter policy one_organisation on %1$I using (%2$I = (select callout_org())) '
                       'with check (%2$I = (select callout_org()))', policy.tablename, policy.key);
    end loop;
end;
$$;

-- What a person may see, by bucket; lower ranks are pulled first.

-- Orders with an open visit, and those finished within two days, by the server's clock: somebody who was offline for
-- longer must still find the order on the phone when the sync that reported it done comes back.
create function sync_scope_work_orders(whom uuid, at timestamptz)
    returns table (id uuid, customer_id uuid, site_id uuid, is_open boolean)
    language sql stable
begin atomic
    select o.id, o.customer_id, o.site_id, bool_or(v.finished_at is null)
    from visit v join work_order o on (o.org_id, o.id) = (v.org_id, v.work_order_id)
    where v.engineer_id = whom
      and (v.finished_at is null
        or v.finished_at > at - interval '2 days' and v.state in ('completed', 'interrupted'))
    group by o.id, o.customer_id, o.site_id;
end;

create function sync_scope(whom uuid, at timestamptz) returns table (key text, rank integer)
    language sql stable
begin atomic
    with mine as materialized (select * from sync_scope_work_orders(whom, at))
    select 'user:' || whom, 0
    union all
    select 'van:' || l.id, 1 from stock_location l where l.kind = 'van' and l.person_id = whom
    union all select 'wo:' || mine.id, case when mine.is_open then 10 else 15 end from mine
    union all
    select 'customer:' || mine.customer_id, case when bool_or(mine.is_open) then 20 else 25 end
    from mine group by mine.customer_id
    union all
    select place.prefix || mine.site_id, case when bool_or(mine.is_open) then place.rank else place.rank + 5 end
    from mine cross join (values ('site:', 20), ('history:', 30)) place (prefix, rank)
    group by mine.site_id, place.prefix, place.rank
    union all select shared.key, shared.rank
    from (values ('catalog:procedures', 40), ('catalog:parts', 41)) shared (key, rank);
end;

-- After a restore or a failover the timeline or the cluster is another one: what devices were told may be unknown
-- here. Every new connection looks (see `Database`), so no restore goes unnoticed and none has to be announced.
-- Epochs are seconds since 1970: two restores of one backup never share a number.
alter table sync_epoch alter column epoch type bigint;
alter table sync_epoch add column cluster bigint;
alter table sync_epoch add column timeline integer;
alter table sync_epoch add column since timestamptz not null default now();

create function sync_notice_restore() returns bigint
    language plpgsql security definer set search_path = public
as $$
declare
    here record;
    known sync_epoch;
begin
    select * into known from sync_epoch;
    if pg_is_in_recovery() then
        return known.epoch;
    end if;
    -- By the log itself: the control file names the old timeline until the first checkpoint after a promotion.
    select s.system_identifier as cluster, ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer as timeline
    into here from pg_control_system() s;
    if (known.cluster, known.timeline) is not distinct from (here.cluster, here.timeline) then
        return known.epoch;
    end if;
    update sync_epoch e
    set cluster = here.cluster, timeline = here.timeline,
        epoch = case when e.cluster is null then e.epoch else sync_next_epoch(e.epoch) end,
        since = case when e.cluster is null then e.since else now() end
    where (e.cluster, e.timeline) is distinct from (here.cluster, here.timeline);
    return (select e.epoch from sync_epoch e);
end;
$$;

create function sync_next_epoch(last bigint) returns bigint
    language sql volatile
    return greatest(last + 1, extract(epoch from clock_timestamp())::bigint);

create function sync_bump_epoch() returns bigint
    language sql security definer set search_path = public
begin atomic
    update sync_epoch set epoch = sync_next_epoch(epoch), since = now() returning epoch;
end;

-- How far the write-ahead log is safe outside this server: archived, or flushed by a replica. Null when neither is
-- set up. As a number, because it is compared and stored.
create function sync_safe_lsn() returns bigint
    language sql stable security definer set search_path = public
begin atomic
    with segment as (select setting::bigint as bytes from pg_settings where name = 'wal_segment_size'),
    archived as (
        select (('x' || substr(a.last_archived_wal, 9, 8))::bit(32)::bigint << 32)
             + (('x' || substr(a.last_archived_wal, 17, 8))::bit(32)::bigint + 1) * segment.bytes as lsn
        from pg_stat_archiver a cross join segment
        where a.last_archived_wal ~ '^[0-9A-F]{24}$'
          and left(a.last_archived_wal, 8) = left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
          and current_setting('archive_mode') <> 'off'
    ),
    replicated as (
        -- A backup being taken streams too, but may yet be thrown away.
        select max(r.flush_lsn - '0/0'::pg_lsn)::bigint as lsn from pg_stat_replication r
        where r.application_name <> 'pg_basebackup'
    )
    select greatest((select lsn from archived), (select lsn from replicated));
end;

-- Whether there is an archive or a replica to wait for at all.
create function sync_has_safe_copy() returns boolean
    language sql stable security definer set search_path = public
begin atomic
    select current_setting('archive_mode') <> 'off'
        or exists (select from pg_replication_slots where slot_type = 'physical' and not temporary)
        or exists (select from pg_stat_replication where application_name <> 'pg_basebackup');
end;

-- Move every stream's `durable_seq` up to what is known to be safe. What is committed now has a commit record below
-- the log's present end, so that pair is noted and, once the safe copy has passed it, believed. Without any safe copy
-- to ask, what was noted before `trusted_before` is taken to be in a backup.
create function sync_advance_durable(present timestamptz, trusted_before timestamptz) returns bigint
    language plpgsql
as $$
declare
    safe bigint := sync_safe_lsn();
    waiting boolean := sync_has_safe_copy();
    log_end bigint := (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint;
    moved bigint;
begin
    update sync_stream set durable_seq = mark_seq
    where mark_seq > durable_seq and case when waiting then mark_lsn <= safe else marked_at <= trusted_before end;
    get diagnostics moved = row_count;
    update sync_stream set mark_seq = last_seq, mark_lsn = log_end, marked_at = present
    where last_seq > mark_seq and mark_seq <= durable_seq;
    return moved;
end;
$$;

-- Remember what a pull brings a device up to, one pull at a time, and answer its number. The three newest are kept,
-- and the one it asked with: pulls that break off again and again must not lose the device's place.
create function sync_store_cookie(
    whom uuid, of_epoch bigint, based_on bigint, dropped text[], sent jsonb, asked bigint, present timestamptz
)
    returns bigint
    language plpgsql
as $$
declare
    holds jsonb := '{}';
    next_ordinal bigint;
begin
    perform from device where id = whom for no key update;
    if based_on is not null then
        select s.buckets into holds from sync_device_state s where s.device_id = whom and s.ordinal = based_on;
        if not found then
            raise exception 'what the device holds was forgotten meanwhile' using errcode = 'serialization_failure';
        end if;
    end if;
    select coalesce(max(s.ordinal), 0) + 1 into next_ordinal from sync_device_state s where s.device_id = whom;
    update sync_device_state set acked_at = coalesce(acked_at, present) where device_id = whom and ordinal = asked;
    delete from sync_device_state
    where device_id = whom and ordinal <= next_ordinal - 3 and ordinal is distinct from asked;
    insert into sync_device_state (org_id, device_id, ordinal, epoch, buckets, sent_at)
    values (callout_org(), whom, next_ordinal, of_epoch, holds - dropped || sent, present);
    update device set last_contact_at = present where id = whom;
    return next_ordinal;
end;
$$;

-- Forget what left buckets long ago. A device that has been away for longer is told to take the bucket anew.
create function sync_forget_departed(before timestamptz) returns bigint
    language plpgsql
as $$
declare
    forgotten bigint;
begin
    with gone as (
        delete from sync_entry where op = 'd' and at < before returning org_id, bucket_id, bv
    ),
    newest as (select org_id, bucket_id, max(bv) as bv, count(*) as n from gone group by org_id, bucket_id),
    raised as (
        update sync_bucket b set min_version = greatest(b.min_version, newest.bv)
        from newest where (b.org_id, b.id) = (newest.org_id, newest.bucket_id)
    )
    select coalesce(sum(n), 0) into forgotten from newest;
    return forgotten;
end;
$$;

-- Since when the oldest event waits for the relay; null when none does.
create function oldest_unrelayed() returns timestamptz
    language sql stable security definer set search_path = public
begin atomic
    select min(at) from event where position is null;
end;
revoke execute on function oldest_unrelayed from public;
grant execute on function oldest_unrelayed to callout_app;

revoke execute on function sync_notice_restore, sync_bump_epoch, sync_safe_lsn, sync_has_safe_copy from public;
grant execute on function sync_notice_restore, sync_safe_lsn, sync_has_safe_copy to callout_app;
