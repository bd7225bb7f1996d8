"""10: Poison mutation (handler always raises) in the middle."""

from server.workorders import evidence
from tests.scenarios.handset import outcomes


async def test_10_earlier_and_later_ones_are_applied_and_the_poison_is_kept_verbatim(handset, monkeypatch):
    plain = evidence.add_note

    async def chokes(*given, **named):
        if named["body"] == "poison":
            await plain(*given, **named)
            message = "a bug"
            raise RuntimeError(message)
        return await plain(*given, **named)

    monkeypatch.setattr(evidence, "add_note", chokes)
    batch = [handset.note("before"), handset.note("poison"), handset.note("after")]
    pushed = await handset.push(*batch)
    assert outcomes(pushed) == [("applied", None), ("quarantined", "SERVER_ERROR"), ("applied", None)]
    assert await handset.bodies() == ["after", "before"]
    kept = (await handset.sql("select envelope, status from mutation_log where seq = 2"))[0]
    assert kept["envelope"] == batch[1]
    # The queue is not blocked, and the phone is told the same whenever it asks.
    assert outcomes(await handset.push(handset.note("later"))) == [("applied", None)]
    assert outcomes(await handset.push())[1] == ("quarantined", "SERVER_ERROR")
    assert [it["code"] for it in await handset.sql("select code from review_item where state = 'open'")] == [
        "SERVER_ERROR"
    ]
