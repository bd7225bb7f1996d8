"""Every statement on transfers. Sender and receiver each write their side of one row, whoever comes first."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from server.core.db import UnitOfWork
from server.inventory.domain import Transfer, TransferState

_TRANSFER = """
    t.id, t.part_id, t.serial, t.from_id, t.to_id, t.into_id, t.state, t.sent, t.sent_at, t.sent_by, t.received,
    t.received_at, t.received_by
"""


async def hold_ends(uow: UnitOfWork, part_id: UUID, locations: Collection[UUID]) -> None:
    """Make everyone else who moves this part at these places, or tells their phones, wait until this transaction ends.

    In the order every other writer takes them, balances before buckets: two vans may hand things to each other at once.
    """
    await uow.run(
        """
        select from stock where part_id = %(part)s and location_id = any(%(locations)s) order by location_id for update
        """,
        part=part_id,
        locations=list(locations),
    )
    await uow.run(
        "select from sync_bucket where key = any(%(keys)s) order by key for update",
        keys=[f"van:{location}" for location in locations],
    )


async def put_sent(
    uow: UnitOfWork,
    *,
    transfer_id: UUID,
    part_id: UUID,
    serial: str | None,
    from_id: UUID,
    to_id: UUID,
    quantity: Decimal,
    at: datetime,
    by: UUID,
) -> Transfer | None:
    """Write the sender's side; answer None when it is written, or when something else was received under this id."""
    return await uow.one_of(
        Transfer,
        f"""
        insert into transfer as t (org_id, id, part_id, serial, from_id, to_id, state, sent, sent_at, sent_by)
        values (%(org)s, %(id)s, %(part)s, %(serial)s, %(from)s, %(to)s, 'sent', %(quantity)s, %(at)s, %(by)s)
        on conflict (org_id, id) do update
        set from_id = excluded.from_id, to_id = excluded.to_id, sent = excluded.sent, sent_at = excluded.sent_at,
            sent_by = excluded.sent_by, state = 'received'
        where t.sent is null and t.part_id = excluded.part_id and t.serial is not distinct from excluded.serial
        returning {_TRANSFER}
        """,
        **{
            "org": uow.org,
            "id": transfer_id,
            "part": part_id,
            "serial": serial,
            "from": from_id,
            "to": to_id,
            "quantity": quantity,
            "at": at,
            "by": by,
        },
    )


async def put_received(
    uow: UnitOfWork,
    *,
    transfer_id: UUID,
    part_id: UUID,
    serial: str | None,
    into_id: UUID,
    quantity: Decimal,
    at: datetime,
    by: UUID,
) -> Transfer | None:
    """Write the receiver's side; answer None when it is written, or when something else was sent under this id."""
    return await uow.one_of(
        Transfer,
        f"""
        insert into transfer as t (org_id, id, part_id, serial, to_id, into_id, state, received, received_at,
                                   received_by)
        values (%(org)s, %(id)s, %(part)s, %(serial)s, %(into)s, %(into)s, 'unannounced', %(quantity)s, %(at)s, %(by)s)
        on conflict (org_id, id) do update
        set into_id = excluded.into_id, received = excluded.received, received_at = excluded.received_at,
            received_by = excluded.received_by, state = 'received'
        where t.received is null and t.part_id = excluded.part_id and t.serial is not distinct from excluded.serial
        returning {_TRANSFER}
        """,
        org=uow.org,
        id=transfer_id,
        part=part_id,
        serial=serial,
        into=into_id,
        quantity=quantity,
        at=at,
        by=by,
    )


async def transfer(uow: UnitOfWork, transfer_id: UUID) -> Transfer | None:
    return await uow.one_of(Transfer, f"select {_TRANSFER} from transfer t where t.id = %(id)s", id=transfer_id)


async def transfers(
    uow: UnitOfWork,
    *,
    states: Sequence[TransferState],
    location_id: UUID | None,
    part_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Transfer]:
    """Answer the newest first."""
    return await uow.all_of(
        Transfer,
        f"""
        select {_TRANSFER} from transfer t
        where t.state = any(%(states)s)
          and (%(location)s::uuid is null or %(location)s in (t.from_id, t.to_id, t.into_id))
          and (%(part)s::uuid is null or t.part_id = %(part)s)
          and (%(before)s::uuid is null or t.id < %(before)s)
        order by t.id desc limit %(limit)s
        """,
        states=[str(state) for state in states],
        location=location_id,
        part=part_id,
        before=before,
        limit=limit,
    )


async def in_transit(uow: UnitOfWork) -> Decimal:
    """Answer what the transfers say is on the way, less what was received before anybody said they sent it."""
    return Decimal(
        await uow.value(
            """
            select coalesce(sum(case state when 'sent' then sent when 'unannounced' then -received else 0 end), 0)
            from transfer
            """
        )
    )
