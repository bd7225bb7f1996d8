drop trigger text_revise on work_order;
drop function text_revise, text_keep;

create or replace function sync_scope_work_orders(whom uuid, at timestamptz)
    returns table (id uuid, customer_id uuid, site_id uuid, is_open boolean)
    language sql stable
begin atomic
    select o.id, o.customer_id, o.site_id, bool_or(v.finished_at is null)
    from visit v join work_order o on (o.org_id, o.id) = (v.org_id, v.work_order_id)
    where v.engineer_id = whom
      and (v.finished_at is null
        or v.finished_at > at - interval '2 days' and v.state in ('completed', 'interrupted'))
    group by o.id, o.customer_id, o.site_id;
end;
