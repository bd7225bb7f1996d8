-- The audit chain. Writers only leave a mark, in their own transaction: a counter they all had to wait for would cost
-- nine tenths of the throughput. One sealing job turns marks into links afterwards. Nobody but these functions writes
-- either table: the product's role may look at them and call `audit_append`.

create policy door on audit_pending to callout_owner using (true) with check (true);
create policy door on audit_entry to callout_owner using (true) with check (true);
revoke insert on audit_pending, audit_entry from callout_app;

-- A queue is empty most of the time and must not be scanned as what it once was.
alter table audit_pending set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

create function audit_mark() returns trigger
    language plpgsql security definer set search_path = public
as $$
begin
    insert into audit_pending (org_id, kind, ref) select f.org_id, tg_argv[0], f.id from fresh f;
    return null;
end;
$$;

create function audit_mark_row() returns trigger
    language plpgsql security definer set search_path = public
as $$
begin
    insert into audit_pending (org_id, kind, ref) values (new.org_id, tg_argv[0], new.id);
    return null;
end;
$$;

-- Seal every row that is ever inserted into `source`, those that are there already included.
create procedure audit_watch(source text, kind text)
    language plpgsql
as $$
begin
    execute format(
        'create trigger audit_%s after insert on %I referencing new table as fresh '
        'for each statement execute function audit_mark(%L)', kind, source, kind);
    -- The owner is held to row-level security too, but for this one look at the past.
    execute format('alter table %I no force row level security', source);
    execute format(
        'insert into audit_pending (org_id, kind, ref) select org_id, %L, id from %I order by org_id, id', kind, source);
    execute format('alter table %I force row level security', source);
end;
$$;

-- Seal the moment at which a row of `source` is revoked, which happens to it once.
create procedure audit_watch_revoked(source text, kind text)
    language plpgsql
as $$
begin
    execute format(
        'create trigger audit_%s after update of revoked_at on %I for each row '
        'when (old.revoked_at is null and new.revoked_at is not null) execute function audit_mark_row(%L)',
        kind, source, kind);
    execute format('alter table %I no force row level security', source);
    execute format(
        'insert into audit_pending (org_id, kind, ref) select org_id, %L, id from %I where revoked_at is not null '
        'order by org_id, id', kind, source);
    execute format('alter table %I force row level security', source);
end;
$$;

-- Turn marks into links, in the order the marks were made, and answer how many; -1 when somebody else is at it.
-- Only what a trigger marked can become a link, and only once: a mark goes in the transaction that brings its link.
create function audit_append(tickets bigint[], digests text[], sealed_at timestamptz) returns integer
    language plpgsql security definer set search_path = public
as $$
declare
    org uuid := callout_org();
    stamp text := to_char(sealed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    link record;
    place bigint;
    previous text;
    fresh text;
    made integer := 0;
begin
    if not pg_try_advisory_xact_lock(hashtext('callout.audit'), hashtext(org::text)) then
        return -1;
    end if;
    select e.n, e.hash into place, previous from audit_entry e where e.org_id = org order by e.n desc limit 1;
    place := coalesce(place, 0);
    previous := coalesce(previous, repeat('0', 64));
    for link in
        with given as (select g.ticket, g.digest from unnest(tickets, digests) as g (ticket, digest)),
        taken as (
            delete from audit_pending p using given g where p.org_id = org and p.ticket = g.ticket
            returning p.ticket, p.kind, p.ref, g.digest
        )
        select t.kind, t.ref, t.digest from taken t order by t.ticket
    loop
        place := place + 1;
        -- The canonical JSON (RFC 8785) of the link: keys in order, nothing that would need escaping.
        fresh := encode(sha256(decode(previous, 'hex') || convert_to(format(
            '{"at":"%s","digest":"%s","kind":"%s","n":%s,"ref":"%s"}', stamp, link.digest, link.kind, place, link.ref),
            'UTF8')), 'hex');
        insert into audit_entry (org_id, n, kind, ref, digest, prev_hash, hash, at)
        values (org, place, link.kind, link.ref, link.digest, previous, fresh, sealed_at);
        previous := fresh;
        made := made + 1;
    end loop;
    return made;
end;
$$;

create function audit_waiting() returns setof uuid
    language sql stable security definer set search_path = public
begin atomic
    select distinct org_id from audit_pending;
end;

revoke execute on function audit_append, audit_waiting from public;
grant execute on function audit_append, audit_waiting to callout_app;

call audit_watch('mutation_log', 'mutation');
call audit_watch('signature', 'signature');
call audit_watch('signature_superseded', 'superseded');
call audit_watch('service_report', 'report');
call audit_watch('report_pdf', 'print');
call audit_watch('seal_certificate', 'certificate');
call audit_watch('stock_movement', 'movement');
call audit_watch('timeline_entry', 'timeline');
call audit_watch('session', 'login');
call audit_watch_revoked('session', 'logout');
call audit_watch('device', 'device');
call audit_watch_revoked('device', 'device_revoked');
call audit_watch('review', 'review');
call audit_watch('rescue', 'rescue');
call audit_watch('api_key', 'api_key');
call audit_watch_revoked('api_key', 'api_key_revoked');

-- Phones learn that what was signed on them has changed since.
call sync_feed('signature_superseded', 45::smallint, 'wo:', 'work_order_id');
