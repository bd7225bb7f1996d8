"""Every statement about where devices are reached, and how channels are doing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from server.core.db import UnitOfWork
from server.notify.domain import PushEndpoint

_ENDPOINT = "e.id, e.device_id, e.person_id, e.kind, e.address, e.p256dh, e.auth"


async def release_address(uow: UnitOfWork, address_hash: str, device: UUID) -> int:
    """Take an address from every other device, of whatever organisation; answer from how many."""
    return int(await uow.value("select release_push_address(%(hash)s, %(device)s)", hash=address_hash, device=device))


async def put_endpoint(uow: UnitOfWork, endpoint: PushEndpoint, address_hash: str) -> None:
    """Store it as the device's only one. Told again it keeps its id, a new address gets the new id."""
    await uow.run(
        """
        insert into push_endpoint as e (org_id, id, device_id, person_id, kind, address, address_hash, p256dh, auth,
                                        registered_at)
        values (%(org)s, %(id)s, %(device)s, %(person)s, %(kind)s, %(address)s, %(hash)s, %(p256dh)s, %(auth)s, %(now)s)
        on conflict (org_id, device_id) do update set
            id = case when e.address_hash = excluded.address_hash then e.id else excluded.id end,
            person_id = excluded.person_id, kind = excluded.kind, address = excluded.address,
            address_hash = excluded.address_hash, p256dh = excluded.p256dh, auth = excluded.auth,
            registered_at = excluded.registered_at
        """,
        org=uow.org,
        id=endpoint.id,
        device=endpoint.device_id,
        person=endpoint.person_id,
        kind=endpoint.kind,
        address=endpoint.address,
        hash=address_hash,
        p256dh=endpoint.p256dh,
        auth=endpoint.auth,
        now=uow.now(),
    )


async def endpoint_of(uow: UnitOfWork, device: UUID) -> PushEndpoint | None:
    return await uow.one_of(
        PushEndpoint, f"select {_ENDPOINT} from push_endpoint e where e.device_id = %(device)s", device=device
    )


async def endpoints_of(uow: UnitOfWork, people: Sequence[UUID]) -> list[PushEndpoint]:
    """Answer where these people's phones are reached; nothing is sent to a device or person that was cut off."""
    return await uow.all_of(
        PushEndpoint,
        f"""
        select {_ENDPOINT} from push_endpoint e
        join device d on d.id = e.device_id and d.revoked_at is null
        join person p on p.id = e.person_id and p.active
        where e.person_id = any(%(people)s) order by e.registered_at, e.id
        """,
        people=list(people),
    )


async def forget_endpoints(uow: UnitOfWork, endpoints: Sequence[UUID]) -> None:
    await uow.run("delete from push_endpoint where id = any(%(ids)s)", ids=list(endpoints))


async def forget_device(uow: UnitOfWork, device: UUID) -> None:
    await uow.run("delete from push_endpoint where device_id = %(device)s", device=device)


async def forget_person(uow: UnitOfWork, person: UUID) -> None:
    await uow.run("delete from push_endpoint where person_id = %(person)s", person=person)


@dataclass(frozen=True)
class Count:
    """What a channel did in a round. `rate_per_s`: null where nobody sets one."""

    channel: str
    sent: int
    failed: int
    gone: int
    error: str | None
    rate_per_s: float | None


async def count(uow: UnitOfWork, counts: Sequence[Count]) -> None:
    await uow.run_many(
        """
        insert into push_health as h (org_id, channel, sent, failed, endpoints_gone, last_sent_at, last_failed_at,
                                      last_error, rate_per_s)
        values (%(org)s, %(channel)s, %(sent)s, %(failed)s, %(gone)s,
                case when %(sent)s > 0 then %(now)s::timestamptz end,
                case when %(failed)s > 0 then %(now)s::timestamptz end, %(error)s, %(rate)s)
        on conflict (org_id, channel) do update set
            sent = h.sent + excluded.sent, failed = h.failed + excluded.failed,
            endpoints_gone = h.endpoints_gone + excluded.endpoints_gone,
            last_sent_at = coalesce(excluded.last_sent_at, h.last_sent_at),
            last_failed_at = coalesce(excluded.last_failed_at, h.last_failed_at),
            last_error = coalesce(excluded.last_error, h.last_error), rate_per_s = excluded.rate_per_s
        """,
        [
            {
                "org": uow.org,
                "channel": it.channel,
                "sent": it.sent,
                "failed": it.failed,
                "gone": it.gone,
                "error": it.error,
                "rate": it.rate_per_s,
                "now": uow.now(),
            }
            # Always in the same order: two rounds that end together must not wait for each other.
            for it in sorted(counts, key=lambda it: it.channel)
        ],
    )


@dataclass(frozen=True)
class ChannelHealth:
    """failed: attempts, not messages. endpoints: devices that are reached this way now; streams are not counted."""

    channel: str
    sent: int
    failed: int
    endpoints_gone: int
    last_sent_at: datetime | None
    last_failed_at: datetime | None
    last_error: str | None
    rate_per_s: float | None
    endpoints: int
    waiting: int


async def health(uow: UnitOfWork) -> list[ChannelHealth]:
    """Answer how each channel does that has ever been used or has an endpoint."""
    return await uow.all_of(
        ChannelHealth,
        """
        with reached as (
            select e.kind as channel, count(*) as endpoints,
                   coalesce(sum(w.waiting), 0)::bigint as waiting
            from push_endpoint e
            left join (select person_id, count(*) as waiting from message where state = 'waiting' group by 1) w
                on w.person_id = e.person_id
            group by e.kind
        )
        select coalesce(h.channel, r.channel) as channel, coalesce(h.sent, 0) as sent, coalesce(h.failed, 0) as failed,
               coalesce(h.endpoints_gone, 0) as endpoints_gone, h.last_sent_at, h.last_failed_at, h.last_error,
               h.rate_per_s, coalesce(r.endpoints, 0) as endpoints, coalesce(r.waiting, 0) as waiting
        from push_health h full join reached r on r.channel = h.channel
        order by 1
        """,
    )


@dataclass(frozen=True)
class ChannelTotals:
    channel: str
    sent: int
    failed: int
    endpoints_gone: int
    last_sent_at: datetime | None
    rate_per_s: float | None


async def totals(uow: UnitOfWork) -> list[ChannelTotals]:
    """Answer how channels do in all organisations together; the slowest rate is told."""
    return await uow.all_of(ChannelTotals, "select * from push_totals()")
