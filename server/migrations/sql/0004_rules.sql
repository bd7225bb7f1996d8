-- Numbers the texts of an order. Whoever writes (a use case, an import, a person with psql) leaves a revision that an
-- edit from a phone can later be merged against.

create function text_keep(org uuid, wo uuid, what text, old_rev integer, old_body text, new_rev integer, new_body text)
    returns integer
    language plpgsql
as $$
begin
    insert into text_revision (org_id, id, work_order_id, field, rev, body, origin, at)
    values (org, gen_random_uuid(), wo, what, old_rev, old_body, 'first', now())
    on conflict (org_id, work_order_id, field, rev) do nothing;
    -- A use case has numbered and kept its own revision before it writes the text.
    if new_rev <> old_rev then
        return new_rev;
    end if;
    select max(rev) + 1 into new_rev from text_revision t
    where (t.org_id, t.work_order_id, t.field) = (org, wo, what);
    insert into text_revision (org_id, id, work_order_id, field, rev, parent, body, origin, at)
    values (org, gen_random_uuid(), wo, what, new_rev, old_rev, new_body, 'elsewhere', now());
    return new_rev;
end;
$$;

create function text_revise() returns trigger
    language plpgsql
as $$
begin
    if new.description is distinct from old.description then
        new.description_rev := text_keep(
            new.org_id, new.id, 'description', old.description_rev, old.description, new.description_rev,
            new.description);
    end if;
    if new.findings is distinct from old.findings then
        new.findings_rev := text_keep(
            new.org_id, new.id, 'findings', old.findings_rev, old.findings, new.findings_rev, new.findings);
    end if;
    return new;
end;
$$;

create trigger text_revise before update of description, findings on work_order
    for each row execute function text_revise();

-- An order that was taken back leaves every phone at once.
create or replace function sync_scope_work_orders(whom uuid, at timestamptz)
    returns table (id uuid, customer_id uuid, site_id uuid, is_open boolean)
    language sql stable
begin atomic
    select o.id, o.customer_id, o.site_id, bool_or(v.finished_at is null)
    from visit v join work_order o on (o.org_id, o.id) = (v.org_id, v.work_order_id)
    where v.engineer_id = whom and o.voided_at is null
      and (v.finished_at is null
        or v.finished_at > at - interval '2 days' and v.state in ('completed', 'interrupted'))
    group by o.id, o.customer_id, o.site_id;
end;
