"""What no stream takes is pushed: claimed, sent without a transaction, settled; and what happens in between."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from server.core.errors import NotFound
from server.identity import service as identity
from server.identity.domain import Actor, RevokeReason
from server.notify import endpoint_queries, endpoints, queries, service
from server.notify.courier import LEASE, Courier, take
from server.notify.domain import TRIES, TRIES_WHEN_REFUSED, Delivery, Hint, Outcome, PushEndpoint, PushKind
from server.notify.endpoints import PushOffer, Registration
from server.notify.errors import PushAddressRefused, PushKeysRefused, PushNotOffered
from server.notify.push_hosts import PushHosts
from server.notify.vapid import VapidKey
from tests.factories.geo import with_phone
from tests.factories.identity import found_company
from tests.fakes.channel import RecordingChannel
from tests.fakes.push_channel import RecordingPush
from tests.fakes.push_service import FakePushService

OFFER = PushOffer(fcm=True, vapid_public_key="", hosts=PushHosts())
SILENT = Outcome(Delivery.UNREACHABLE, "no answer in time")
GONE = Outcome(Delivery.GONE, "404")


def token(name: str) -> str:
    return f"{name}:{'a' * 40}"


@pytest.fixture
async def phone(database, company, engineer) -> Actor:
    async with database.unit_of_work(company.id) as uow:
        return await with_phone(uow, engineer)


@pytest.fixture
def fcm() -> RecordingPush:
    return RecordingPush("fcm")


@pytest.fixture
def seconds(clock):
    began = clock.now()

    def elapsed():
        return (clock.now() - began).total_seconds()

    return elapsed


@pytest.fixture
def courier(database, fcm, seconds) -> Courier:
    return Courier(database, {PushKind.FCM: fcm}, clock=seconds, chance=lambda: 0.5)


@pytest.fixture
def register(database):
    async def register(actor: Actor, name: str = "phone") -> PushEndpoint:
        async with database.unit_of_work(actor.org) as uow:
            return await endpoints.register(uow, actor, OFFER, Registration(PushKind.FCM, token(name)))

    return register


@pytest.fixture
def hint(database, phone):
    async def queue(hint: Hint = Hint.JOB, key: str = "job", person: UUID | None = None) -> UUID:
        subject = uuid4()
        async with database.unit_of_work(phone.org) as uow:
            await service.queue_hint(uow, person or phone.person, hint, subject, key)
        return subject

    return queue


@pytest.fixture
def messages(database, phone):
    async def read():
        async with database.unit_of_work(phone.org) as uow:
            return await uow.rows("select state, channel, attempts, last_error from message order by created_at, id")

    return read


@pytest.fixture
def later(clock, courier):
    """`await later(s)`: that many seconds pass, and what is due by then is tried."""

    async def pass_by(seconds=1.5):
        clock.forward(timedelta(seconds=seconds))
        return await courier.round()

    return pass_by


async def test_what_no_stream_takes_is_pushed_to_the_phone(phone, register, hint, later, fcm, messages, courier):
    await register(phone)
    subject = await hint(Hint.ARRIVAL)
    assert await courier.round() == 0  # streams come first
    assert await later() == 1
    assert fcm.sent == [(token("phone"), {"h": "arrival", "id": str(subject)})]
    assert fcm.lifetimes == [timedelta(hours=1) - timedelta(seconds=1.5)]
    assert await messages() == [{"state": "sent", "channel": "fcm", "attempts": 1, "last_error": None}]
    assert await later() == 0


async def test_what_a_stream_took_is_not_pushed(database, phone, register, hint, later, fcm):
    await register(phone)
    await hint()
    async with database.unit_of_work(phone.org) as uow:
        assert await service.deliver(uow, RecordingChannel(), [phone.person]) == 1
    assert await later() == 0
    assert fcm.sent == []


async def test_a_stream_that_opens_while_a_service_is_silent_gets_the_hint_at_once(
    database, phone, register, hint, later, fcm, messages
):
    await register(phone)
    await hint()
    stream = RecordingChannel()

    async def listen() -> None:
        async with database.unit_of_work(phone.org) as uow:
            await service.deliver(uow, stream, [phone.person])

    fcm.answers[token("phone")] = SILENT
    fcm.meanwhile = listen
    await later()
    assert len(stream.sent) == 1
    assert [it["state"] for it in await messages()] == ["sent"]


async def test_without_a_phone_to_push_to_it_waits_for_a_stream_and_then_expires(
    database, phone, hint, later, clock, messages
):
    await hint(Hint.ARRIVAL)
    assert await later() == 1
    assert await later(60) == 0  # left alone
    assert [(it["state"], it["attempts"]) for it in await messages()] == [("waiting", 0)]
    await later(3600)
    assert [it["state"] for it in await messages()] == ["expired"]
    async with database.unit_of_work(phone.org) as uow:
        assert await service.deliver(uow, RecordingChannel(), [phone.person]) == 0


async def test_a_registration_wakes_what_waited(phone, register, hint, later, fcm):
    await hint()
    await later()
    await register(phone)
    await later(0)
    assert len(fcm.sent) == 1


async def test_a_registration_while_the_old_token_dies_is_not_overlooked(phone, register, hint, later, fcm):
    await register(phone, "old")
    await hint()
    fcm.answers[token("old")] = GONE

    async def again() -> None:
        fcm.meanwhile = None
        await register(phone, "new")

    fcm.meanwhile = again
    await later()
    await later(0)
    assert [to for to, _ in fcm.sent] == [token("new")]


async def test_a_dead_token_is_forgotten_and_the_hint_waits_for_a_stream(
    database, phone, register, hint, later, fcm, messages
):
    await register(phone)
    await hint()
    fcm.answers[token("phone")] = GONE
    await later()
    async with database.unit_of_work(phone.org) as uow:
        assert await endpoints.registered(uow, phone) is None
    assert [it["state"] for it in await messages()] == ["waiting"]
    assert await later(600) == 0


async def test_of_two_phones_only_the_one_that_failed_is_tried_again(
    database, company, phone, engineer, register, hint, later, fcm, messages
):
    async with database.unit_of_work(company.id) as uow:
        tablet = await with_phone(uow, engineer)
    await register(phone, "phone")
    await register(tablet, "tablet")
    await hint()
    fcm.answers[token("tablet")] = SILENT
    await later()
    assert [(it["state"], it["channel"]) for it in await messages()] == [("waiting", "fcm")]
    fcm.answers.clear()
    await later(10)
    assert [to for to, _ in fcm.sent] == [token("phone"), token("tablet")]
    assert [it["state"] for it in await messages()] == ["sent"]


async def test_a_newer_hint_with_its_key_replaces_one_that_is_being_sent(phone, register, hint, later, fcm, messages):
    await register(phone)
    first = await hint(Hint.SYNC, "sync")
    newer: list[UUID] = []

    async def replace_it() -> None:
        fcm.meanwhile = None
        newer.append(await hint(Hint.SYNC, "sync"))

    fcm.meanwhile = replace_it
    await later()
    assert [it["state"] for it in await messages()] == ["waiting"]
    await later()
    assert [payload["id"] for _, payload in fcm.sent] == [str(first), str(newer[0])]


async def test_nobody_who_has_news_waits_for_a_silent_service(phone, register, hint, later, fcm, database):
    """While a hint is on its way no row is locked: whoever queues the next one under its key is not held up."""
    await register(phone)
    await hint(Hint.SYNC, "sync")

    async def business() -> None:
        fcm.meanwhile = None
        async with database.unit_of_work(phone.org) as uow:
            await uow.run("set local lock_timeout = '50ms'")
            await service.queue_hint(uow, phone.person, Hint.SYNC, uuid4(), "sync")

    fcm.meanwhile = business
    assert await later() == 1


async def test_a_worker_that_dies_between_sending_and_settling_has_its_round_sent_again(
    database, phone, register, hint, later, fcm, clock
):
    await register(phone)
    await hint()
    clock.forward(timedelta(seconds=2))
    async with database.unit_of_work(phone.org) as uow:
        claimed = await take(uow, {PushKind.FCM})
    assert claimed.count == 1
    assert await later() == 0  # leased
    assert await later(LEASE.total_seconds()) == 1
    assert len(fcm.sent) == 1


async def test_what_no_worker_survives_is_put_away(database, phone, register, hint, clock, messages):
    await register(phone)
    await hint()
    for _ in range(2 * TRIES + 2):
        clock.forward(LEASE * 2)
        async with database.unit_of_work(phone.org) as uow:
            await take(uow, {PushKind.FCM})
    assert [(it["state"], it["last_error"]) for it in await messages()] == [
        ("quarantined", "no worker survived sending it")
    ]


async def test_after_the_last_try_it_is_given_up(phone, register, hint, later, fcm, messages):
    await register(phone)
    await hint()
    fcm.answers[token("phone")] = SILENT
    for _ in range(TRIES + 5):
        await later(900)
    assert [(it["state"], it["attempts"], it["last_error"]) for it in await messages()] == [
        ("failed", TRIES, "no answer in time")
    ]


async def test_poison_is_put_away_with_its_reason_and_the_rest_proceeds(
    database, company, phone, register, hint, later, fcm, messages, clock
):
    await register(phone)
    await hint(key="poison")
    fcm.answers[token("phone")] = Outcome(Delivery.REFUSED, "INVALID_ARGUMENT (400)")
    for _ in range(TRIES_WHEN_REFUSED):
        await later(60)
    fcm.answers.clear()
    await hint(key="sound")
    await later()
    assert [(it["state"], it["attempts"], it["last_error"]) for it in await messages()] == [
        ("quarantined", TRIES_WHEN_REFUSED, "INVALID_ARGUMENT (400)"),
        ("sent", 1, None),
    ]
    async with database.unit_of_work(company.id) as uow:
        health = await service.health(uow)
    assert [(it.hint, it.reason) for it in health.quarantined] == [(Hint.JOB, "INVALID_ARGUMENT (400)")]


async def test_a_service_that_asks_for_patience_is_left_alone_and_no_try_is_lost_on_it(
    phone, register, hint, later, fcm, messages, courier
):
    await register(phone)
    await hint(key="one")
    fcm.answers[token("phone")] = Outcome(Delivery.BUSY, "429", 300)
    await later()
    await hint(key="two")
    assert await later() == 0  # nothing was done for it: no haste to ask again
    assert [(it["attempts"], it["last_error"]) for it in await messages()] == [
        (1, "429"),
        (0, "its service was asked often enough for now"),
    ]
    fcm.answers.clear()
    await later(120)
    assert fcm.sent == []
    await later(300)
    assert len(fcm.sent) == 2


async def test_health_tells_what_each_channel_did_and_what_waits(
    database, company, phone, register, hint, later, fcm, clock
):
    await register(phone)
    await hint(key="one")
    await later()
    fcm.answers[token("phone")] = SILENT
    await hint(key="two")
    await later()
    async with database.unit_of_work(company.id) as uow:
        await service.queue_hint(uow, company.actor("dispatcher").person, Hint.SYNC, uuid4(), "sync")
        await service.queue_hint(uow, company.actor("team_lead").person, Hint.SYNC, uuid4(), "sync")
        await service.deliver(uow, RecordingChannel(), [company.actor("team_lead").person])
        health = await service.health(uow)
    assert (health.waiting.for_push, health.waiting.for_stream) == (1, 1)
    [pushed, recording] = health.channels
    assert (pushed.channel, pushed.sent, pushed.failed, pushed.endpoints, pushed.waiting) == ("fcm", 1, 1, 1, 1)
    assert (pushed.last_error, pushed.rate_per_s) == ("unreachable: no answer in time", 1.0)
    assert pushed.last_sent_at == clock.now() - timedelta(seconds=1.5)
    assert (recording.channel, recording.sent, recording.rate_per_s) == ("recording", 1, None)
    async with database.unit_of_work() as uow:
        assert [(it.channel, it.sent, it.failed) for it in await endpoint_queries.totals(uow)] == [
            ("fcm", 1, 1),
            ("recording", 1, 0),
        ]
        assert await queries.total_waiting(uow) == 2


async def test_organisations_are_served_alike_and_see_nothing_of_each_other(
    database, phone, register, hint, later, fcm, courier
):
    rival = await found_company(database, "rival", roles=("engineer",))
    async with database.unit_of_work(rival.id) as uow:
        theirs = await with_phone(uow, rival.actor("engineer"))
        await service.queue_hint(uow, theirs.person, Hint.SYNC, uuid4(), "sync")
    await register(phone, "ours")
    await register(theirs, "theirs")
    await hint()
    assert await later() == 2
    assert {to for to, _ in fcm.sent} == {token("ours"), token("theirs")}
    async with database.unit_of_work(rival.id) as uow:
        assert len(await uow.rows("select 1 from push_endpoint")) == 1
        assert len(await uow.rows("select 1 from push_health")) == 1


async def test_a_token_belongs_to_whoever_registered_it_last_even_in_another_organisation(
    database, phone, register, later, hint, fcm
):
    rival = await found_company(database, "rival", roles=("engineer",))
    async with database.unit_of_work(rival.id) as uow:
        theirs = await with_phone(uow, rival.actor("engineer"))
    await register(phone, "shared")
    await register(theirs, "shared")
    async with database.unit_of_work(phone.org) as uow:
        assert await endpoints.registered(uow, phone) is None
    await hint()
    await later()
    assert fcm.sent == []
    await register(phone, "shared")
    async with database.unit_of_work(rival.id) as uow:
        assert await endpoints.registered(uow, theirs) is None


async def test_told_again_a_token_keeps_its_id_and_a_new_one_takes_its_place(database, phone, register):
    first = await register(phone, "first")
    again = await register(phone, "first")
    await register(phone, "second")
    async with database.unit_of_work(phone.org) as uow:
        stored = await endpoints.registered(uow, phone)
        assert len(await uow.rows("select 1 from push_endpoint")) == 1
    assert stored is not None
    assert (stored.address, again.address) == (token("second"), first.address)
    assert stored.id != first.id


async def test_a_device_that_is_cut_off_is_sent_nothing_and_then_forgotten(
    database, phone, register, hint, later, fcm, administrator, work_through
):
    await register(phone)
    await hint()
    async with database.unit_of_work(phone.org) as uow:
        await identity.revoke_device(uow, administrator, phone.device, RevokeReason.STOLEN)
    await later()
    assert fcm.sent == []
    await work_through()
    async with database.unit_of_work(phone.org) as uow:
        assert await uow.rows("select 1 from push_endpoint") == []


async def test_a_person_who_has_left_is_sent_nothing(
    database, phone, register, hint, later, fcm, administrator, work_through
):
    await register(phone)
    await hint()
    async with database.unit_of_work(phone.org) as uow:
        await identity.dismiss(uow, administrator, phone.person)
    await later()
    assert fcm.sent == []
    await work_through()
    async with database.unit_of_work(phone.org) as uow:
        assert await uow.rows("select 1 from push_endpoint") == []


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (Registration(PushKind.FCM, "short"), PushAddressRefused),
        (Registration(PushKind.FCM, token("x") + " "), PushAddressRefused),
        (Registration(PushKind.FCM, token("x"), p256dh="x"), PushKeysRefused),
        (Registration(PushKind.WEBPUSH, "https://evil.example/x"), PushAddressRefused),
        (Registration(PushKind.WEBPUSH, "https://fcm.googleapis.com/fcm/send/x"), PushKeysRefused),
        (Registration(PushKind.WEBPUSH, "https://fcm.googleapis.com/fcm/send/x", "x", "y"), PushKeysRefused),
    ],
)
async def test_an_address_that_can_t_be_right_is_refused(database, phone, said, problem):
    async with database.unit_of_work(phone.org) as uow:
        with pytest.raises(problem):
            await endpoints.register(uow, phone, OFFER, said)


async def test_what_is_not_offered_is_refused_and_a_browser_has_no_device(database, phone, engineer):
    async with database.unit_of_work(phone.org) as uow:
        with pytest.raises(PushNotOffered):
            await endpoints.register(uow, phone, replace(OFFER, fcm=False), Registration(PushKind.FCM, token("x")))
        with pytest.raises(PushNotOffered):
            await endpoints.register(
                uow, phone, replace(OFFER, vapid_public_key=None), Registration(PushKind.WEBPUSH, "https://x")
            )
        with pytest.raises(NotFound):
            await endpoints.register(uow, engineer, OFFER, Registration(PushKind.FCM, token("x")))


async def test_a_browsers_subscription_is_taken(database, phone):
    it = FakePushService(VapidKey(VapidKey.make()).public).subscribe()
    said = Registration(PushKind.WEBPUSH, "https://fcm.googleapis.com/fcm/send/x", it.p256dh, it.auth)
    async with database.unit_of_work(phone.org) as uow:
        await endpoints.register(uow, phone, OFFER, said)
        stored = await endpoints.registered(uow, phone)
        await endpoints.unregister(uow, phone)
        await endpoints.unregister(uow, phone)
        assert await endpoints.registered(uow, phone) is None
    assert stored is not None
    assert (stored.kind, stored.address, stored.p256dh) == (PushKind.WEBPUSH, said.address, it.p256dh)


async def test_settled_messages_are_forgotten_after_a_month_and_waiting_ones_are_not(
    database, phone, register, hint, later, clock
):
    await register(phone)
    await hint(key="sent")
    await later()
    await hint(key="waits")
    async with database.unit_of_work(phone.org) as uow:
        assert await queries.forget_settled(uow, clock.now() + timedelta(days=1)) == 1
        assert [row["collapse_key"] for row in await uow.rows("select collapse_key from message")] == ["waits"]


async def test_a_courier_that_is_told_to_stop_finishes_its_round(database, phone, register, hint, clock, fcm, seconds):
    await register(phone)
    await hint()
    clock.forward(timedelta(seconds=2))
    sending = asyncio.Event()

    async def slowly() -> None:
        sending.set()
        await asyncio.sleep(0.3)

    fcm.meanwhile = slowly
    running = asyncio.create_task(Courier(database, {PushKind.FCM: fcm}, clock=seconds).run())
    await sending.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    async with database.unit_of_work(phone.org) as uow:
        assert await uow.value("select state from message") == "sent"
    assert fcm.closed
