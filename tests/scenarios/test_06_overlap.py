"""6: Batch overlaps: resend 100–140 when 1–120 processed."""

from tests.scenarios.handset import statuses


async def test_06_what_is_known_answers_its_stored_results_and_the_rest_is_applied(handset):
    notes = [handset.note(f"{number:03}") for number in range(1, 141)]
    first = (await handset.push(*notes[:100])).json()["results"]
    first += (await handset.push(*notes[100:120])).json()["results"]
    overlapping = await handset.push(*notes[99:140])
    results = overlapping.json()["results"]
    assert results[:21] == first[99:120]
    assert [result["seq"] for result in results] == list(range(100, 141))
    assert set(statuses(overlapping)) == {"applied"}
    assert overlapping.json()["last_seq"] == 140
    assert await handset.bodies() == [f"{number:03}" for number in range(1, 141)]
