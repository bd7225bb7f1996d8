create or replace function stock_follow() returns trigger
    language plpgsql
as $$
begin
    insert into stock as s (org_id, location_id, part_id, quantity)
    select new.org_id, place.id, new.part_id, change.quantity
    from (values (new.from_id, -new.quantity), (new.to_id, new.quantity)) as change (location_id, quantity)
    join stock_location place on place.org_id = new.org_id and place.id = change.location_id
    where place.kind in ('warehouse', 'van', 'quarantine')
    order by place.id
    on conflict (org_id, location_id, part_id) do update set quantity = s.quantity + excluded.quantity;
    return null;
end;
$$;
drop function stock_before;
