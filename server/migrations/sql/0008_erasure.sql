-- Erasure on record. The product may read what was erased and never say so itself: whoever takes over its role could
-- otherwise call a tampering an erasure.

create policy door on audit_erasure to callout_owner using (true) with check (true);
revoke insert on audit_erasure from callout_app;

-- Rows of an order go with it, by cascade. Only an administrator removes one; the product takes orders back instead.
revoke delete on work_order from callout_app;

call audit_watch('audit_erasure', 'erasure');

-- The ledger outlives an order, so no foreign key holds its rows to it: what is written for an order must still find it,
-- and only what takes back an earlier movement may name one that was erased since.
create function stock_find_order() returns trigger
    language plpgsql
as $$
begin
    perform from work_order o where (o.org_id, o.id) = (new.org_id, new.work_order_id) for key share;
    if not found then
        raise exception 'work order % does not exist', new.work_order_id
            using errcode = 'foreign_key_violation', constraint = 'stock_movement_org_id_work_order_id_fkey';
    end if;
    return null;
end;
$$;

create trigger stock_find_order after insert on stock_movement for each row
    when (new.work_order_id is not null and new.reverses_id is null) execute function stock_find_order();

-- What is left of a mutation whose content was erased is a record of its own, sealed as it is from then on.
create trigger audit_mutation_erased after update of status on mutation_log for each row
    when (new.status = 'erased' and old.status <> 'erased') execute function audit_mark_row('mutation_erased');
