-- Whether something was moved before a count was made. The times are the server's estimates; within one stream the
-- sequence knows better than two estimates that lie closer together than they are certain. A device that begins a new
-- stream counts from one again, so sequences of different streams say nothing to each other.
create function stock_before(
    at timestamptz, stream uuid, seq bigint, counted_at timestamptz, counting_stream uuid, counting_seq bigint
) returns boolean
    language sql immutable
return case
    when stream = counting_stream and seq <> counting_seq and abs(extract(epoch from counted_at - at)) < 600
        then seq < counting_seq
    else at <= counted_at
end;

-- Balances follow the ledger in the same transaction. Locations are touched in id order so that two opposite
-- transfers can't deadlock. Only physical places keep a balance: a row for "consumed" would be one that every usage
-- of a part, on every van, has to wait for.
create or replace function stock_follow() returns trigger
    language plpgsql
as $$
declare
    moving_stream uuid := new.stream_id;
    moving_seq bigint := new.seq;
begin
    insert into stock as s (org_id, location_id, part_id, quantity)
    select new.org_id, place.id, new.part_id, change.quantity
    from (values (new.from_id, -new.quantity), (new.to_id, new.quantity)) as change (location_id, quantity)
    join stock_location place on place.org_id = new.org_id and place.id = change.location_id
    where place.kind in ('warehouse', 'van', 'quarantine')
    order by place.id
    on conflict (org_id, location_id, part_id) do update set quantity = s.quantity + excluded.quantity;

    if new.count_id is not null then
        return null;
    end if;
    if new.reverses_id is not null then
        select m.stream_id, m.seq into moving_stream, moving_seq
        from stock_movement m where m.org_id = new.org_id and m.id = new.reverses_id;
    end if;
    -- The first count made after this movement already found what it left. The balance's row is locked by now, so no
    -- count can slip in between; and this statement sees every count that was committed before we got the lock.
    insert into stock_movement (org_id, id, part_id, from_id, to_id, quantity, serial, reason, count_id, moved_by, at,
                                recorded_at)
    select new.org_id, md5(new.id::text || told.id::text)::uuid, new.part_id,
           case when side.gained then side.location_id else adjustment.id end,
           case when side.gained then adjustment.id else side.location_id end,
           new.quantity, new.serial, 'counted', told.id, told.counted_by, told.at, new.recorded_at
    from (values (new.from_id, false), (new.to_id, true)) as side (location_id, gained)
    cross join lateral (
        select c.id, c.at, c.counted_by from stock_count c
        where c.org_id = new.org_id and c.location_id = side.location_id and c.part_id = new.part_id
          and c.at > new.at - interval '10 minutes'
          and stock_before(new.at, moving_stream, moving_seq, c.at, c.stream_id, c.seq)
        order by c.at, c.id limit 1
    ) told
    join stock_location adjustment on adjustment.org_id = new.org_id and adjustment.kind = 'adjustment';
    return null;
end;
$$;

call sync_feed('reservation', 30::smallint, 'wo:', 'work_order_id');
-- A transfer is seen on the van it goes to and on the one it left.
call sync_feed('transfer', 31::smallint, 'van:', 'to_id', also_column => 'from_id');
