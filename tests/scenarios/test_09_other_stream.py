"""9: Same mutation id under another stream."""

from uuid import uuid4


async def test_09_it_is_a_duplicate_that_tells_the_first_result_and_has_no_second_effect(handset):
    note = handset.note("once")
    first = (await handset.push(note)).json()["results"][0]
    elsewhere = str(uuid4())
    again = (await handset.push(note, stream=elsewhere)).json()
    assert again["last_seq"] == 1
    assert again["results"][0]["status"] == "duplicate"
    assert again["results"][0]["first"] == {"stream": handset.stream, "seq": 1, "status": first["status"]}
    assert await handset.bodies() == ["once"]
    assert len(await handset.logged()) == 1
    # The duplicate took its number: the other stream goes on behind it and can be sent again.
    following = handset.note("next", seq=2)
    for _ in range(2):
        assert [it["status"] for it in (await handset.push(note, following, stream=elsewhere)).json()["results"]] == [
            "duplicate",
            "applied",
        ]
    assert await handset.bodies() == ["next", "once"]
