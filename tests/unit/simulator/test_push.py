"""What the outbox promises when the line or the server is unkind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator.device import Device, NoConnection, SignedOut
from simulator.faults import Fate
from tests.unit.simulator.conftest import Weather
from tests.unit.simulator.fake_server import FakeServer, Stream

pytestmark = pytest.mark.anyio


def note(phone: Device, body: str = "Belt worn") -> str:
    return phone.record("note.add", {"id": phone.new_id(), "wo": "wo-1", "body": body}).id


async def test_what_was_recorded_offline_arrives_in_order(phone: Device, server: FakeServer) -> None:
    ids = [note(phone, f"Reading {number}") for number in range(250)]
    await phone.sync()
    assert server.effects == ids
    assert [len(batch) for batch in server.pushes] == [100, 100, 50]
    assert phone.outbox.waiting() == 0
    assert {recorded.status for recorded in phone.outbox.everything()} == {"applied"}


async def test_a_lost_reply_is_answered_by_the_same_batch_and_nothing_happens_twice(
    phone: Device, server: FakeServer, weather: Weather
) -> None:
    ids = [note(phone), note(phone)]
    weather.next("/sync/push", Fate.LOSE_REPLY)
    await phone.sync()
    assert server.pushes == [[1, 2], [1, 2]]
    assert server.effects == ids


async def test_without_signal_everything_waits(phone: Device, server: FakeServer, weather: Weather) -> None:
    note(phone)
    weather.next("/sync/push", *[Fate.NO_SIGNAL] * 4)
    with pytest.raises(NoConnection):
        await phone.sync()
    assert phone.outbox.waiting() == 1
    await phone.sync()
    assert len(server.effects) == 1


async def test_a_busy_server_is_asked_again(phone: Device, server: FakeServer) -> None:
    note(phone)
    server.busy = 2
    await phone.sync()
    assert phone.outbox.waiting() == 0


async def test_a_gap_is_filled_from_the_retained_log(phone: Device, server: FakeServer) -> None:
    ids = [note(phone) for _ in range(3)]
    await phone.sync()
    restored = Stream(1, {1: server.streams[phone.outbox.stream].log[1]})
    server.streams[phone.outbox.stream] = restored
    server.effects = ids[:1]
    ids.append(note(phone))
    await phone.sync()
    assert server.effects == ids


async def test_a_forked_stream_goes_on_under_a_new_one_with_the_same_mutation_ids(
    phone: Device, server: FakeServer
) -> None:
    ids = [note(phone), note(phone)]
    old = phone.outbox.stream
    server.streams[old] = Stream(1, {1: ({"seq": 1, "id": "someone else's"}, {})})
    await phone.sync()
    assert phone.outbox.stream != old
    assert server.effects == ids
    assert phone.outbox.waiting() == 0


async def test_a_restored_server_gets_back_what_it_lost(phone: Device, server: FakeServer) -> None:
    ids = [note(phone) for _ in range(3)]
    await phone.sync()
    server.streams[phone.outbox.stream] = Stream()
    server.effects, server.epoch = [], 2
    await phone.settle()
    assert server.effects == ids


async def test_a_phone_that_a_restored_server_does_not_know_enrols_anew_and_gives_back_what_was_acknowledged(
    phone: Device, server: FakeServer
) -> None:
    ids = [note(phone) for _ in range(3)]
    await phone.sync()
    server.streams, server.effects, server.epoch = {}, [], 2
    server.access, server.refreshes = "of another phone", ["of another phone"]
    ids.append(note(phone))
    with pytest.raises(SignedOut):
        await phone.sync()
    await phone.enrol("GOOD-CODE", "The same phone")
    await phone.settle()
    assert sorted(server.effects) == sorted(ids)
    assert {mutation.status for mutation in phone.outbox.everything()} == {"applied"}


async def test_a_new_epoch_in_which_nothing_was_lost_doubles_nothing(phone: Device, server: FakeServer) -> None:
    ids = [note(phone)]
    await phone.sync()
    await phone.enrol("GOOD-CODE", "The same phone")
    ids.append(note(phone))
    await phone.sync()
    server.epoch = 2
    await phone.settle()
    assert server.effects == ids


async def test_an_expired_token_is_refreshed_and_the_batch_sent_again(phone: Device, server: FakeServer) -> None:
    note(phone)
    server.access = "a newer one"
    await phone.sync()
    assert len(server.effects) == 1


async def test_a_refresh_whose_reply_was_lost_is_repeated_with_the_old_token(
    phone: Device, server: FakeServer, weather: Weather
) -> None:
    note(phone)
    server.access = "a newer one"
    weather.next("/auth/refresh", Fate.LOSE_REPLY)
    await phone.sync()
    assert server.refreshes == ["refresh-0", "refresh-1"]
    assert len(server.effects) == 1


async def test_a_signed_out_device_keeps_its_outbox(phone: Device, server: FakeServer) -> None:
    note(phone)
    server.access, server.refreshes = "revoked", ["revoked"]
    with pytest.raises(SignedOut):
        await phone.sync()
    assert phone.outbox.waiting() == 1


async def test_a_restarted_app_goes_on_where_it_stood(
    phone: Device, phone_at: Callable[[Path], Device], tmp_path: Path, server: FakeServer
) -> None:
    ids = [note(phone)]
    await phone.sync()
    ids.append(note(phone))
    again = phone_at(tmp_path)
    ids.append(note(again))
    await again.sync()
    assert server.effects == ids


async def test_acknowledged_mutations_stay_until_they_are_durable_and_old(phone: Device) -> None:
    for _ in range(3):
        note(phone)
    await phone.sync()
    phone.outbox.settle([], durable_seq=3, now=datetime.now(UTC) + timedelta(hours=1))
    assert len(phone.outbox.everything()) == 3
    phone.outbox.settle([], durable_seq=1, now=datetime.now(UTC) + timedelta(hours=73))
    assert [recorded.seq for recorded in phone.outbox.everything()] == [2, 3]
    phone.outbox.settle([], durable_seq=3, now=datetime.now(UTC) + timedelta(hours=73))
    assert [recorded.seq for recorded in phone.outbox.everything()] == [3], "the last one carries the chain on"


async def test_positions_kept_offline_arrive_late_and_once(phone: Device, server: FakeServer, weather: Weather) -> None:
    at = datetime.now(UTC).isoformat()
    phone.track.record({"at": at, "lon": 7.42, "lat": 43.73, "accuracy_m": 8} for _ in range(1500))
    weather.next("/positions", Fate.LOSE_REPLY)
    await phone.track.send()
    assert sorted(server.fixes) == list(range(1, 1501))
    assert phone.track.waiting() == 0
