"""32: User disabled while offline."""

import pytest

from server.identity import service as identity
from simulator.device import DeviceRevoked


async def test_32_push_is_refused_rescue_keeps_the_bundle_once_and_nothing_is_read(field):
    async with field.phone() as phone:
        field.note(phone, "one")
        field.note(phone, "two")
        async with field.database.unit_of_work(field.company.id) as uow:
            await identity.dismiss(uow, field.company.actor("administrator"), field.company.actor("engineer").person)

        with pytest.raises(DeviceRevoked) as refused:
            await phone.sync()
        assert "USER_DISABLED" in str(refused.value)
        assert not refused.value.wipe
        assert phone.outbox.waiting() == 2

        bundle = {
            "device": phone.id,
            "stream": phone.outbox.stream,
            "reason": "disabled",
            "mutations": [it.envelope for it in phone.outbox.everything()],
        }
        headers = {"Authorization": f"Bearer {phone._store.setting('access_token')}"}
        answers = [await phone.http.post("/mobile/v1/sync/rescue", json=bundle, headers=headers) for _ in range(2)]
        assert [answer.json() for answer in answers] == [
            {"accepted": 2, "duplicates": 0},
            {"accepted": 0, "duplicates": 2},
        ]
        assert await phone.rescue("disabled") == 2
        assert await field.quarantine() == [("USER_DISABLED", "one"), ("USER_DISABLED", "two")]
        assert await field.notes() == []

        readable = [
            ("post", "/mobile/v1/sync/pull"),
            ("get", "/mobile/v1/sync/quarantine"),
            ("get", "/mobile/v1/sync/conflicts"),
        ]
        for method, path in readable:
            answer = await phone.http.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "USER_DISABLED"), path
