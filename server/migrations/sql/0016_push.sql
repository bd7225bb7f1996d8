-- Doors for push, as in 0001_doors.sql: each runs as the owner, and the policies below let it see these tables.

create policy door on message for select to callout_owner using (true);
create policy door on push_health for select to callout_owner using (true);
create policy door on push_endpoint to callout_owner using (true);

-- Which organisations have messages to be tried or to be given up by then.
create function organisations_with_messages_due(by_then timestamptz) returns setof uuid
    language sql stable security definer set search_path = public
begin atomic
    select distinct org_id from message where state = 'waiting' and next_try_at <= by_then;
end;

-- A phone's address is where its newest registration says, whoever had it before: another person's app on the same
-- phone, or another organisation's. Held until the transaction ends, so that two can't take it at once.
create function release_push_address(taken_hash text, by_device uuid) returns integer
    language plpgsql security definer set search_path = public
as $$
declare
    released integer;
begin
    perform pg_advisory_xact_lock(hashtextextended('push:' || taken_hash, 0));
    delete from push_endpoint where address_hash = taken_hash and device_id <> by_device;
    get diagnostics released = row_count;
    return released;
end;
$$;

-- All organisations together, for whoever looks after the server.
create function push_totals() returns table (
    channel text, sent bigint, failed bigint, endpoints_gone bigint, last_sent_at timestamptz, rate_per_s float
)
    language sql stable security definer set search_path = public
begin atomic
    select h.channel::text, sum(h.sent)::bigint, sum(h.failed)::bigint, sum(h.endpoints_gone)::bigint,
           max(h.last_sent_at), min(h.rate_per_s)
    from push_health h group by h.channel;
end;

create function messages_waiting() returns bigint
    language sql stable security definer set search_path = public
begin atomic
    select count(*) from message where state = 'waiting';
end;

revoke execute on function organisations_with_messages_due, release_push_address, push_totals, messages_waiting
    from public;
grant execute on function organisations_with_messages_due, release_push_address, push_totals, messages_waiting
    to callout_app;
