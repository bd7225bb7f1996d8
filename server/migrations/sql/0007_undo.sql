do $$
declare
    it record;
begin
    for it in
        select t.tgname as name, t.tgrelid::regclass as source from pg_trigger t where t.tgname ~ '^audit_'
    loop
        execute format('drop trigger %I on %s', it.name, it.source);
    end loop;
end;
$$;
drop function audit_append, audit_waiting, audit_mark, audit_mark_row;
drop procedure audit_watch, audit_watch_revoked;
