"""30: Access token expired after 10 days offline."""

from datetime import timedelta


async def test_30_the_same_outbox_is_pushed_after_a_sign_in_and_nothing_is_counted_twice(field):
    async with field.phone() as phone:
        for number in range(5):
            field.note(phone, f"note {number}")
        before = [(it.id, it.seq) for it in phone.outbox.everything()]
        stale = phone._store.setting("access_token")
        field.clock.forward(timedelta(days=10))
        refused = await phone.http.post("/mobile/v1/sync/push", json={}, headers={"Authorization": f"Bearer {stale}"})
        assert (refused.status_code, refused.json()["code"]) == (401, "auth.token_expired")

        assert await phone.push() == 5

        assert phone._store.setting("access_token") != stale
        assert [(it.id, it.seq) for it in phone.outbox.everything()] == before
        assert {it.status for it in phone.outbox.everything()} == {"applied"}
        assert await field.notes() == [f"note {number}" for number in range(5)]


async def test_30_also_when_only_a_new_code_signs_them_in_again(field):
    """The refresh token is too old as well: the office hands out a code, the outbox goes on under a new stream."""
    async with field.phone() as phone:
        field.note(phone, "before")
        await phone.push()
        field.note(phone, "offline")
        ids = [it.id for it in phone.outbox.everything()]
        field.clock.forward(timedelta(days=100))
        await phone.enrol(await field.code(), "Phone again")
        await phone.sync()
        assert sorted(it.id for it in phone.outbox.everything()) == sorted(ids)
        assert phone.outbox.waiting() == 0
        assert await field.notes() == ["before", "offline"]
