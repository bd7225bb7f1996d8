from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from server.notify import service
from server.notify.channels import Streams
from server.notify.domain import Hint, Message
from server.notify.lines import Lines
from tests.fakes.channel import RecordingChannel


@pytest.fixture
def order() -> UUID:
    return uuid4()


async def test_of_several_unsent_hints_with_one_key_the_last_is_sent(uow, engineer, order, clock):
    channel = RecordingChannel()
    other = uuid4()
    await service.queue_hint(uow, engineer.person, Hint.SYNC, order, "sync")
    await service.queue_hint(uow, engineer.person, Hint.SYNC, other, "sync")
    clock.forward(timedelta(seconds=1))
    await service.queue_hint(uow, engineer.person, Hint.JOB, order, f"job:{order}")
    assert await service.deliver(uow, channel, [engineer.person]) == 2
    assert channel.sent == [
        (str(engineer.person), {"h": "sync", "id": str(other)}),
        (str(engineer.person), {"h": "job", "id": str(order)}),
    ]


async def test_a_sent_hint_is_not_sent_again_but_a_new_one_with_its_key_is(uow, engineer, order):
    channel = RecordingChannel()
    await service.queue_hint(uow, engineer.person, Hint.SYNC, order, "sync")
    await service.deliver(uow, channel, [engineer.person])
    assert await service.deliver(uow, channel, [engineer.person]) == 0
    await service.queue_hint(uow, engineer.person, Hint.SYNC, order, "sync")
    assert await service.deliver(uow, channel, [engineer.person]) == 1


async def test_what_reached_nobody_goes_on_waiting(uow, engineer, order):
    channel = RecordingChannel()
    channel.away.add(str(engineer.person))
    await service.queue_hint(uow, engineer.person, Hint.ARRIVAL, order, "arrival")
    assert await service.deliver(uow, channel, [engineer.person]) == 0
    channel.away.clear()
    assert await service.deliver(uow, channel, [engineer.person]) == 1


async def test_only_the_named_people_are_delivered_to(uow, engineer, dispatcher, order):
    await service.queue_hint(uow, engineer.person, Hint.SYNC, order, "sync")
    assert await service.deliver(uow, RecordingChannel(), [dispatcher.person]) == 0


async def test_after_a_cut_the_phone_gets_what_was_sent_meanwhile(uow, engineer, order, clock):
    channel, seen = RecordingChannel(), uuid4()
    for _ in range(3):
        clock.forward(timedelta(seconds=5))
        await service.queue_hint(uow, engineer.person, Hint.SYNC, order, "sync")
        await service.deliver(uow, channel, [engineer.person])
    first, second, third = [row["id"] for row in await uow.rows("select id from message order by sent_at")]
    assert [it.id for it in await service.missed_since(uow, engineer.person, first)] == [second, third]
    assert await service.missed_since(uow, engineer.person, seen) == []
    clock.forward(timedelta(hours=1))
    assert await service.missed_since(uow, engineer.person, first) == []


async def test_every_open_stream_of_a_person_gets_the_hint_and_none_leaves_it_waiting(uow, engineer, order):
    lines, endpoint = Lines[Message](), str(engineer.person)
    streams = Streams(lines)
    await service.queue_hint(uow, engineer.person, Hint.SYNC, order, "sync")
    assert await service.deliver(uow, streams, [engineer.person]) == 0
    with lines.opened(endpoint) as phone, lines.opened(endpoint) as tablet:
        assert await service.deliver(uow, streams, [engineer.person]) == 1
        assert phone.get_nowait() == tablet.get_nowait()
