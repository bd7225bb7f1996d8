"""24: Same text field, non-overlapping words / overlapping."""

import pytest

from tests.scenarios.handset import outcomes
from tests.scenarios.rules import reconnect, settle

FIRST = "The old seal is worn. 主轴漏水。"


@pytest.fixture
async def desk(signed_in):
    return await signed_in("dispatcher")


@pytest.fixture
async def office(client, desk, job):
    """`await office(text, base_rev)` writes the findings as the office does."""

    async def write(text, base_rev):
        answer = await client.put(
            f"/api/v1/work-orders/{job.order.id}/texts/findings",
            json={"base_rev": base_rev, "text": text},
            headers=desk,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    return write


def edits(phone, new, base_rev):
    return phone.record("text.edit", {"wo": str(phone.order), "field": "findings", "base_rev": base_rev, "new": new})


async def bodies(job):
    rows = await job.sql("select rev, body, origin from text_revision where work_order_id = %(order)s order by rev")
    return [(row["rev"], row["origin"], row["body"]) for row in rows]


async def findings(job):
    return (await job.sql("select findings from work_order where id = %(order)s"))[0]["findings"]


async def test_24_words_that_do_not_overlap_are_merged_and_no_character_is_lost(handset, job, office):
    rev = (await office(FIRST, 1))["rev"]
    edits(handset, "The old blue seal is worn. 主轴漏水。", rev)
    await office("The old seal is worn. 主轴严重漏水。", rev)
    assert outcomes(await reconnect(handset, job)) == [("merged", "TEXT_MERGED")]
    assert await findings(job) == "The old blue seal is worn. 主轴严重漏水。"
    assert await bodies(job) == [
        (1, "first", ""),
        (2, "edit", FIRST),
        (3, "edit", "The old seal is worn. 主轴严重漏水。"),
        (4, "edit", "The old blue seal is worn. 主轴漏水。"),
        (5, "merge", "The old blue seal is worn. 主轴严重漏水。"),
    ]
    assert await job.conflicts() == []


async def test_24_where_they_overlap_the_offices_text_stays_and_either_can_be_chosen(
    handset, job, office, desk, client
):
    rev = (await office(FIRST, 1))["rev"]
    edits(handset, "The old seal is torn. 主轴漏水。", rev)
    await office("The old seal is new. 主轴漏水。", rev)
    assert outcomes(await reconnect(handset, job)) == [("conflict", "TEXT_OVERLAP")]
    assert await findings(job) == "The old seal is new. 主轴漏水。"
    assert (4, "edit", "The old seal is torn. 主轴漏水。") in await bodies(job)
    (overlap,) = await job.conflicts()
    assert (overlap["mine"]["text"], overlap["theirs"]["text"]) == (
        "The old seal is torn. 主轴漏水。",
        "The old seal is new. 主轴漏水。",
    )
    # What somebody writes elsewhere in the text before it is settled stays.
    await office("The old seal is new. 主轴漏水。 Key at desk.", 3)
    for choice, text in (
        ("accept_mine", "The old seal is torn. 主轴漏水。 Key at desk."),
        ("undo", "The old seal is new. 主轴漏水。 Key at desk."),
    ):
        settled = await settle(client, desk, overlap["id"], choice)
        assert settled.status_code == 200, settled.text
        assert await findings(job) == text


async def test_24_a_phone_that_writes_twice_without_hearing_from_us_does_not_disagree_with_itself(handset, job, office):
    rev = (await office(FIRST, 1))["rev"]
    edits(handset, "The old seal is torn. 主轴漏水。", rev)
    edits(handset, "The old seal is torn apart. 主轴漏水。", rev)
    await office("The old seal is worn. 主轴漏水。 Key at desk.", rev)
    assert outcomes(await reconnect(handset, job)) == [("merged", "TEXT_MERGED"), ("merged", "TEXT_MERGED")]
    assert await findings(job) == "The old seal is torn apart. 主轴漏水。 Key at desk."


async def test_24_a_text_changed_by_hand_in_the_database_is_a_revision_like_any_other(handset, job, office):
    rev = (await office(FIRST, 1))["rev"]
    edits(handset, "The old blue seal is worn. 主轴漏水。", rev)
    await job.sql(
        "update work_order set findings = findings || ' Imported.' where id = %(order)s returning findings_rev"
    )
    assert outcomes(await reconnect(handset, job)) == [("merged", "TEXT_MERGED")]
    assert await findings(job) == "The old blue seal is worn. 主轴漏水。 Imported."
    assert [origin for _, origin, _ in await bodies(job)] == ["first", "edit", "elsewhere", "edit", "merge"]
