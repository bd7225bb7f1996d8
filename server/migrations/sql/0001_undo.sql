-- What dropping the tables leaves behind.
drop procedure sync_feed;
drop function sync_touch, sync_record, stock_follow;
drop table sync_epoch;
drop sequence event_position;
drop function callout_org;

do $$
declare
    thing record;
begin
    for thing in select oid::regclass as name from pg_class where relname like 'procrastinate\_%' and relkind = 'r' loop
        execute format('drop table if exists %s cascade', thing.name);
    end loop;
    for thing in select oid::regprocedure as name from pg_proc where proname like 'procrastinate\_%' loop
        execute format('drop function if exists %s cascade', thing.name);
    end loop;
    for thing in
        select typname as name from pg_type where typname like 'procrastinate\_%' and typtype in ('e', 'c')
    loop
        execute format('drop type if exists %I cascade', thing.name);
    end loop;
end;
$$;
