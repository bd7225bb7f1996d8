-- The change feed. A trigger covers every writer: use cases, imports and a person with psql alike.

create table sync_epoch (
    only_row boolean primary key default true check (only_row),
    epoch integer not null default 1
);
insert into sync_epoch default values;
grant select on sync_epoch to callout_app;

create function sync_record(org uuid, bucket text, what smallint, what_id uuid, operation "char") returns void
    language plpgsql
as $$
declare
    bumped record;
begin
    -- The bucket's row lock is held until the writer commits, so versions become visible in the order they were given.
    insert into sync_bucket as b (org_id, key, version, min_version) values (org, bucket, 1, 0)
    on conflict (org_id, key) do update set version = b.version + 1
    returning b.id, b.version into bumped;

    insert into sync_entry as e (org_id, bucket_id, entity, entity_id, bv, op)
    values (org, bumped.id, what, what_id, bumped.version, operation)
    on conflict (org_id, bucket_id, entity, entity_id) do update set bv = excluded.bv, op = excluded.op;
end;
$$;

-- Arguments: entity code, bucket prefix, column that names the bucket ('' for one shared bucket), column of the id.
create function sync_touch() returns trigger
    language plpgsql
as $$
declare
    what smallint := tg_argv[0];
    prefix text := tg_argv[1];
    bucket_column text := tg_argv[2];
    id_column text := tg_argv[3];
    old_bucket text;
    new_bucket text;
    what_id uuid;
begin
    if tg_op <> 'INSERT' then
        execute format('select ($1).%I', id_column) using old into what_id;
        old_bucket := prefix;
        if bucket_column <> '' then
            execute format('select $2 || ($1).%I', bucket_column) using old, prefix into old_bucket;
        end if;
    end if;
    if tg_op <> 'DELETE' then
        execute format('select ($1).%I', id_column) using new into what_id;
        new_bucket := prefix;
        if bucket_column <> '' then
            execute format('select $2 || ($1).%I', bucket_column) using new, prefix into new_bucket;
        end if;
    end if;
    if old_bucket is not null and old_bucket is distinct from new_bucket then
        perform sync_record(old.org_id, old_bucket, what, what_id, 'd');
    end if;
    if new_bucket is not null then
        perform sync_record(new.org_id, new_bucket, what, what_id, 'p');
    end if;
    return null;
end;
$$;

create procedure sync_feed(source text, entity smallint, prefix text, bucket_column text, id_column text default 'id')
    language plpgsql
as $$
begin
    execute format(
        'create trigger sync_%s after insert or delete on %I for each row execute function sync_touch(%L, %L, %L, %L)',
        entity, source, entity, prefix, bucket_column, id_column);
    execute format(
        'create trigger sync_%s_update after update on %I for each row when (old.* is distinct from new.*) '
        'execute function sync_touch(%L, %L, %L, %L)',
        entity, source, entity, prefix, bucket_column, id_column);
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
