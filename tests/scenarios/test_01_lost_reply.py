"""1: Push committed, reply lost, client resends."""

from tests.scenarios.handset import statuses


async def test_01_the_second_call_answers_the_stored_results_and_moves_nothing(handset):
    batch = [handset.note("one"), handset.note("two")]
    first = await handset.push(*batch)
    version = await handset.version()
    again = await handset.push(*batch)
    assert statuses(first) == ["applied", "applied"]
    assert again.json()["results"] == first.json()["results"]
    assert await handset.bodies() == ["one", "two"]
    assert len(await handset.logged()) == 2
    assert await handset.version() == version
