drop function oldest_unrelayed, sync_forget_departed, sync_store_cookie, sync_advance_durable, sync_has_safe_copy, sync_safe_lsn,
    sync_bump_epoch, sync_next_epoch, sync_notice_restore, sync_scope, sync_scope_work_orders;

do $$
declare
    it record;
begin
    for it in
        select t.tgname as name, t.tgrelid::regclass as source from pg_trigger t
        where t.tgname ~ '^sync_[0-9]+(_update|_delete)?$' or t.tgname = 'sync_no_truncate'
    loop
        execute format('drop trigger %I on %s', it.name, it.source);
    end loop;
    for it in select p.oid::regprocedure as name from pg_proc p where p.proname ~ '^sync_touch_[0-9]+$' loop
        execute format('drop function %s', it.name);
    end loop;
end;
$$;
drop procedure sync_feed;
drop function sync_refuse_truncate;
drop function sync_record;
-- Made again by the migration before; devices of another epoch start over.
drop table sync_epoch;
