"""19: … and A also completed it, B not started."""

from tests.scenarios.handset import outcomes
from tests.scenarios.rules import does, reconnect, settle, whole_job


async def test_19_the_order_is_completed_by_default_and_cancelling_the_second_booking_is_suggested(
    handset, second, job, client, signed_in
):
    whole_job(handset, job.visits["engineer"], job, 5, 10, 20, 40, 55)
    job.later(30)
    await job.give_to("team_lead", second.actor)
    job.later(60)

    assert outcomes(await reconnect(handset, job)) == [
        ("merged", "BOOKED_AS_FACT"),
        ("conflict", "TAKEN_BACK"),
        ("applied", None),
        ("applied", None),
        ("applied", None),
    ]
    assert await job.state() == "resolved"
    assert await job.visit_states() == ["completed", "dispatched"]
    assert await job.events("visit.taken_back") == 1

    (suggestion,) = await job.conflicts()
    assert suggestion["theirs"]["engineer_id"] == str(second.actor.person)
    agreed = await settle(client, await signed_in("dispatcher"), suggestion["id"], "accept_mine")
    assert agreed.status_code == 200, agreed.text
    assert await job.visit_states() == ["completed", "cancelled"]
    assert await job.state() == "resolved"


async def test_19_but_who_set_out_only_after_it_was_taken_from_them_must_ask(handset, second, job):
    whole_job(handset, job.visits["engineer"], job, 5, 35, 40, 45, 55)
    job.later(30)
    await job.give_to("team_lead", second.actor)
    job.later(60)
    assert outcomes(await reconnect(handset, job)) == [
        ("merged", "BOOKED_AS_FACT"),
        ("conflict", "REASSIGNED"),
        ("merged", "BOOKED_AS_FACT"),
        ("merged", "BOOKED_AS_FACT"),
        ("conflict", "REASSIGNED"),
    ]
    assert await job.state() == "dispatched"
    assert await job.visit_states() == ["cancelled", "dispatched"]


async def test_19_nor_is_it_taken_from_a_second_engineer_who_has_set_out(handset, second, job):
    whole_job(handset, job.visits["engineer"], job, 5, 10, 20, 40, 55)
    job.later(30)
    theirs = await job.give_to("team_lead", second.actor)
    does(second, theirs, "travel", job.at(35))
    job.later(40)
    assert outcomes(await reconnect(second, job)) == [("applied", None)]
    job.later(60)
    assert [code for _, code in outcomes(await reconnect(handset, job))] == [
        "BOOKED_AS_FACT",
        "REASSIGNED",
        "BOOKED_AS_FACT",
        "BOOKED_AS_FACT",
        "REASSIGNED",
    ]
    assert await job.state() == "travelling"


async def test_19_the_dispatcher_can_let_the_first_engineers_word_stand_and_think_again(
    handset, second, job, client, signed_in
):
    whole_job(handset, job.visits["engineer"], job, 5, 35, 40, 45, 55)
    job.later(30)
    await job.give_to("team_lead", second.actor)
    job.later(60)
    await reconnect(handset, job)
    office = await signed_in("dispatcher")
    last = (await job.conflicts())[-1]
    assert (await settle(client, office, last["id"], "accept_mine")).status_code == 200
    assert (await job.state(), await job.visit_states()) == ("resolved", ["completed", "cancelled"])
    assert (await settle(client, office, last["id"], "undo")).status_code == 200
    assert (await job.state(), await job.visit_states()) == ("dispatched", ["completed", "cancelled", "dispatched"])
