"""15: Pull reply lost, same cookie resent."""

from tests.scenarios.handset import puts


async def test_15_the_same_cookie_answers_the_same_or_newer_state(handset):
    await handset.push(handset.note("one"))
    start = handset.cookie
    lost = await handset.pull()
    again = await handset.pull(cookie=start)
    drop_head = [line for line in lost if line["k"] not in {"head", "tail"}]
    assert drop_head == [line for line in again if line["k"] not in {"head", "tail"}]
    await handset.push(handset.note("two"))
    newer = await handset.pull(cookie=start)
    assert sorted(note["body"] for note in puts(newer, "note")) == ["one", "two"]
