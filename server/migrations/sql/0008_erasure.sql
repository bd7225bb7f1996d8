-- Erasure on record. The product may read what was erased and never say so itself: whoever takes over its role could
-- otherwise call a tampering an erasure.

create policy door on audit_erasure to callout_owner using (true) with check (true);
revoke insert on audit_erasure from callout_app;

-- Rows of an order go with it, by cascade. Only an administrator removes one; the product takes orders back instead.
revoke delete on work_order from callout_app;

call audit_watch('audit_erasure', 'erasure');

-- What is left of a mutation whose content was erased is a record of its own, sealed as it is from then on.
create trigger audit_mutation_erased after update of status on mutation_log for each row
    when (new.status = 'erased' and old.status <> 'erased') execute function audit_mark_row('mutation_erased');
