"""8: Same seq, different payload (cloned/restored phone)."""

import copy
from uuid import uuid4

from tests.scenarios.handset import statuses


async def test_08_a_fork_applies_nothing_and_a_new_stream_carries_on(handset):
    await handset.push(handset.note("one"), handset.note("two"))
    # A backup of the phone taken after the first note is put onto another phone; both go on.
    clone = copy.copy(handset)
    clone.outbox = handset.outbox[:1]
    forked = await clone.push(clone.outbox[0], clone.note("other two"), clone.note("other three"))
    assert forked.status_code == 409
    assert forked.json()["code"] == "STREAM_FORKED"
    assert await handset.bodies() == ["one", "two"]
    clone.stream = str(uuid4())
    resent = [mutation | {"seq": seq, "prev": None} for seq, mutation in enumerate(clone.outbox, start=1)]
    assert statuses(await clone.push(*resent)) == ["duplicate", "applied", "applied"]
    assert await handset.bodies() == ["one", "other three", "other two", "two"]
    assert len(await handset.logged()) == 4
