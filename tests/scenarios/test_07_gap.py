"""7: Gap (seq 130 when last is 120)."""

from tests.scenarios.handset import statuses


async def test_07_a_gap_applies_nothing_and_names_what_is_expected(handset):
    notes = [handset.note(f"{number:03}") for number in range(1, 131)]
    await handset.push(*notes[:100])
    await handset.push(*notes[100:120])
    gap = await handset.push(notes[129])
    assert gap.status_code == 409
    assert gap.json()["code"] == "SEQ_GAP"
    assert gap.json()["facts"]["expected"] == 121
    assert len(await handset.logged()) == 120
    assert set(statuses(await handset.push(*notes[120:130]))) == {"applied"}
    assert len(await handset.bodies()) == 130
