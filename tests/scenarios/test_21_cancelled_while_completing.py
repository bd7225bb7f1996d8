"""21: Office cancels while A completes offline."""

import pytest

from server.workorders.domain import Action, HoldReason
from tests.scenarios.handset import outcomes
from tests.scenarios.rules import evidence, reconnect, settle, whole_job

BOOKED = ("merged", "BOOKED_AS_FACT")


@pytest.mark.parametrize(
    ("decision", "said", "stopped"),
    [
        (Action.CANCEL, {}, "cancelled"),
        (Action.SUSPEND, {"hold_reason": HoldReason.CUSTOMER}, "on_hold"),
    ],
)
async def test_21_the_work_counts_as_done_but_disputed_and_nothing_is_invoiced_until_somebody_decides(
    handset, job, client, signed_in, decision, said, stopped
):
    whole_job(handset, job.visits["engineer"], job, 5, 10, 20, 30, 55)
    evidence(handset, "time.add", job.at(55), kind="work", started_at=job.at(30), ended_at=job.at(55))
    job.later(15)
    await job.decide(decision, **said)
    assert await job.state() == stopped
    job.later(60)
    assert outcomes(await reconnect(handset, job)) == [
        BOOKED,
        BOOKED,
        BOOKED,
        BOOKED,
        ("conflict", "COMPLETED_DISPUTED"),
        ("applied", None),
    ]
    assert (await job.state(), await job.visit_states()) == ("completed_disputed", ["completed"])
    assert await job.count("time_entry") == 1
    assert await job.events("work_order.completed_disputed") == 1
    office = await signed_in("dispatcher")
    detail = (await client.get(f"/api/v1/work-orders/{job.order.id}", headers=office)).json()
    assert "disputed" in detail["invoice_obstacles"]
    told = await job.sql("select at from timeline_entry where work_order_id = %(order)s and action = 'start'")
    assert [row["at"].isoformat() for row in told] == [job.at(30)]

    (dispute,) = await job.conflicts()
    assert (await settle(client, office, dispute["id"], "accept_mine")).status_code == 200
    assert await job.state() == "resolved"


async def test_21_the_office_can_stay_with_its_cancellation_and_change_its_mind(handset, job, client, signed_in):
    whole_job(handset, job.visits["engineer"], job, 5, 10, 20, 30, 55)
    job.later(15)
    await job.decide(Action.CANCEL)
    job.later(60)
    await reconnect(handset, job)
    office = await signed_in("dispatcher")
    (dispute,) = await job.conflicts()
    assert (await settle(client, office, dispute["id"], "accept_theirs")).status_code == 200
    assert await job.state() == "cancelled"
    assert (await settle(client, office, dispute["id"], "undo")).status_code == 200
    assert (await settle(client, office, dispute["id"], "accept_mine")).status_code == 200
    assert await job.state() == "resolved"


async def test_21_what_was_never_begun_is_no_work_done(handset, job):
    """A phone that says resolved out of nothing is not believed: its own line of events does not lead there."""
    whole_job(handset, job.visits["engineer"], job, 5, 10, 20, 30, 55)
    job.later(15)
    await job.decide(Action.CANCEL)
    only_the_last = handset.outbox[-1] | {"seq": 1, "prev": None}
    handset.outbox[:] = [only_the_last]
    assert outcomes(await reconnect(handset, job)) == [("conflict", "ILLEGAL_TRANSITION")]
    assert await job.state() == "cancelled"
