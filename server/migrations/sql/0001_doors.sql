-- The few questions that must be answered before an organisation is known. Each function runs as the owner and
-- answers ids only; the policies below are what lets the owner read these tables and no others.

create policy door on person for select to callout_owner using (true);
create policy door on enrolment_code for select to callout_owner using (true);
create policy door on organisation for select to callout_owner using (true);
create policy door on service_report for select to callout_owner using (true);
create policy door on event to callout_owner using (true) with check (true);

create function organisations_with_email(wanted text) returns setof uuid
    language sql stable security definer set search_path = public
begin atomic
    select org_id from person where email = lower(wanted) and active;
end;

create function organisation_of_enrolment(wanted_hash text) returns uuid
    language sql stable security definer set search_path = public
begin atomic
    select org_id from enrolment_code where code_hash = wanted_hash;
end;

create function organisation_of_slug(wanted text) returns uuid
    language sql stable security definer set search_path = public
begin atomic
    select id from organisation where slug = wanted;
end;

create function organisation_of_report(wanted_code text) returns uuid
    language sql stable security definer set search_path = public
begin atomic
    select org_id from service_report where code = wanted_code;
end;

create function all_organisations() returns setof uuid
    language sql stable security definer set search_path = public
begin atomic
    select id from organisation order by id;
end;

-- Number the committed events that have no position yet, oldest first, and answer them. One relay at a time: the
-- advisory lock makes position order the order of publication.
create sequence event_position as bigint;

create function relay_events(batch integer) returns table (org_id uuid, id uuid, name text, pos bigint)
    language plpgsql security definer set search_path = public
as $$
begin
    if not pg_try_advisory_xact_lock(hashtext('callout.relay')) then
        return;
    end if;
    return query
        with fresh as (
            select e.org_id, e.id from event e where e.position is null order by e.id limit batch for update skip locked
        ),
        ranked as (select f.org_id, f.id, row_number() over (order by f.id) as rank from fresh f),
        numbered as (
            select r.org_id, r.id, nextval('event_position') as pos from (select * from ranked order by rank) r
        ),
        stored as (
            update event e set position = n.pos from numbered n where (e.org_id, e.id) = (n.org_id, n.id)
            returning e.org_id, e.id, e.name, e.position
        )
        select s.org_id, s.id, s.name::text, s.position from stored s order by s.position;
end;
$$;

revoke execute on function organisations_with_email, organisation_of_enrolment, organisation_of_slug,
    organisation_of_report, all_organisations, relay_events from public;
grant execute on function organisations_with_email, organisation_of_enrolment, organisation_of_slug,
    organisation_of_report, all_organisations, relay_events to callout_app;
