-- Balances follow the ledger in the same transaction. Locations are touched in id order so that two opposite
-- transfers can't deadlock.
create function stock_follow() returns trigger
    language plpgsql
as $$
begin
    insert into stock as s (org_id, location_id, part_id, quantity)
    select new.org_id, change.location_id, new.part_id, change.quantity
    from (values (new.from_id, -new.quantity), (new.to_id, new.quantity)) as change (location_id, quantity)
    order by change.location_id
    on conflict (org_id, location_id, part_id) do update set quantity = s.quantity + excluded.quantity;
    return null;
end;
$$;

create trigger stock_follow after insert on stock_movement for each row execute function stock_follow();
