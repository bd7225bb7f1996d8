-- What ends in quarantine or as a conflict becomes an item of the inbox, whoever wrote it.

create function wo_in(envelope jsonb) returns uuid
    language sql immutable
    return case
        when envelope #>> '{args,wo}' ~ '^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$'
        then (envelope #>> '{args,wo}')::uuid
    end;

create function review_open_quarantined() returns trigger
    language plpgsql
as $$
begin
    insert into review_item (org_id, id, kind, mutation_id, code, name, person_id, device_id, work_order_id, opened_at,
                             state)
    values (new.org_id, new.id, 'quarantine', new.id, coalesce(new.code, 'QUARANTINED'), new.name, new.person_id,
            new.device_id, wo_in(new.envelope), new.received_at, 'open');
    return null;
end;
$$;

create function review_open_conflict() returns trigger
    language plpgsql
as $$
begin
    insert into review_item (org_id, id, kind, mutation_id, code, name, person_id, device_id, work_order_id, opened_at,
                             state)
    select new.org_id, new.id, 'conflict', m.id, new.code, m.name, m.person_id, m.device_id,
           coalesce(new.work_order_id, wo_in(m.envelope)), new.created_at, 'open'
    from mutation_log m where (m.org_id, m.id) = (new.org_id, new.mutation_id);
    return null;
end;
$$;

create trigger review_open after insert on mutation_log for each row
    when (new.status = 'quarantined') execute function review_open_quarantined();
create trigger review_open after insert on conflict for each row execute function review_open_conflict();

call sync_feed('review_item', 40::smallint, 'user:', 'person_id');

-- A limiter's state: when the bucket will be empty again. Losing it in a crash only resets limits, so it is unlogged.
create unlogged table rate_limit (
    key text primary key,
    tat timestamptz not null
);
grant select, insert, update, delete on rate_limit to callout_app;

-- From which day on which apps are asked to update, as this installation first announced it. Dates are promises to
-- whoever is offline: they are added, never changed.
create table app_window (
    platform text not null,
    min_version text not null,
    hard_from timestamptz not null,
    announced_at timestamptz not null,
    primary key (platform, min_version, hard_from)
);
grant select, insert on app_window to callout_app;
