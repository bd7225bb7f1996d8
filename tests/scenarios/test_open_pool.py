"""The open pool: an order near breach goes to whoever takes it first, signal or not."""

import asyncio
import json
from datetime import timedelta

from server.dispatch.rules.tasks import look_round
from server.workorders.domain import Action, Priority
from tests.factories.rules import TRAVEL
from tests.factories.workforce import a_shift
from tests.factories.workorders import an_order
from tests.scenarios.handset import outcomes, puts

NEAR_BREACH = {"name": "Before it is late", "active": True, "treatment": {"do": "pool", "minutes": 30}}


async def waiting_order(database, company, *people):
    """An urgent order that nobody was sent to, and these people on shift."""
    async with database.unit_of_work(company.id) as uow:
        for person in people:
            await a_shift(uow, person)
        return await an_order(uow, company.actor("dispatcher"), priority=Priority.URGENT)


async def test_an_order_near_breach_is_taken_by_a_phone_that_was_offline(field, client, signed_in, database, company):
    order = await waiting_order(database, company, company.actor("engineer"))
    made = await client.post("/api/v1/assignment-rules", json=NEAR_BREACH, headers=await signed_in("administrator"))
    assert made.status_code == 201, made.text
    async with field.phone() as phone:
        assert not phone.shown("pool_offer")
        field.clock.forward(timedelta(minutes=91))
        await look_round(database, TRAVEL, company.id)
        await phone.sync()
        ((offer, shown),) = phone.shown("pool_offer").items()
        assert (shown["work_order_id"], shown["title"], shown["priority"]) == (str(order.id), order.title, "urgent")
        assert shown["place"] == {"lon": 7.42, "lat": 43.74}, "to about a kilometre"
        assert not {"Hotel Azur", "1 Quai Antoine"} & set(json.dumps(shown).split('"')), "nothing of the customer"
        assert str(order.id) not in phone.shown("work_order")

        phone.take_offer(offer)  # in a cellar
        assert phone.shown("pool_offer")[offer]["asked_for"]
        field.clock.forward(timedelta(minutes=5))
        await phone.sync()

        (taken,) = phone.outbox.everything()
        assert taken.status == "applied"
        assert not phone.shown("pool_offer")
        visit = phone.shown("visit")[taken.result["facts"]["visit_id"]]
        assert (visit["work_order_id"], visit["state"]) == (str(order.id), "dispatched")
        assert phone.shown("work_order")[str(order.id)]["state"] == "dispatched"
        again = await phone.http.get(
            f"/api/v1/work-orders/{order.id}/automation", headers=await signed_in("dispatcher")
        )
        assert [it["outcome"] for it in again.json()["attempts"]] == ["pooled"]
        assert again.json()["offer"]["taken_by"] == str(company.actor("engineer").person)


async def offered(client, office, order):
    answer = await client.post(f"/api/v1/work-orders/{order.id}/pool", json={}, headers=office)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_of_two_phones_at_once_one_gets_it_and_the_other_does_not_learn_who(
    handset, second, client, signed_in, database, company
):
    office = await signed_in("dispatcher")
    order = await waiting_order(database, company, handset.actor, second.actor)
    offer = await offered(client, office, order)
    phones = (handset, second)
    for phone in phones:
        assert [it["work_order_id"] for it in puts(await phone.pull(), "pool_offer")] == [str(order.id)]
        phone.record("pool.take", {"offer": offer, "wo": str(order.id)})

    answers = await asyncio.gather(*(phone.push() for phone in phones))

    ended = [outcomes(answer)[0] for answer in answers]
    assert sorted(ended) == [("applied", None), ("conflict", "POOL_TAKEN")]
    winner, loser = (phones[ended.index(it)] for it in (("applied", None), ("conflict", "POOL_TAKEN")))
    lost = answers[phones.index(loser)]
    assert lost.json()["results"][0]["facts"]["detail"] == "Somebody else was quicker; this work order is theirs."
    told = lost.text + (await client.get("/mobile/v1/sync/conflicts", headers=loser.headers)).text
    assert winner.actor.name not in told
    assert str(winner.actor.person) not in told
    assert "pool_offer" in [line["t"] for line in await loser.pull() if line["k"] == "del"]
    visits = await handset.sql("select engineer_id from visit where work_order_id = %(order)s", order=order.id)
    assert visits == [{"engineer_id": winner.actor.person}]
    for phone, answer in zip(phones, answers, strict=True):
        assert (await phone.push()).json()["results"] == answer.json()["results"], "asked again, answered the same"


async def test_the_office_may_give_it_to_who_was_late_and_take_that_back(
    handset, second, client, signed_in, database, company
):
    office = await signed_in("dispatcher")
    order = await waiting_order(database, company, handset.actor, second.actor)
    offer = await offered(client, office, order)
    for phone in (handset, second):
        phone.record("pool.take", {"offer": offer, "wo": str(order.id)})
        await phone.push()
    (conflict,) = await handset.sql("select id from conflict where code = 'POOL_TAKEN'")

    async def settle(choice):
        answer = await client.post(f"/api/v1/inbox/{conflict['id']}/settle", json={"choice": choice}, headers=office)
        assert answer.status_code == 200, answer.text

    async def whose():
        rows = await handset.sql(
            "select engineer_id from visit where work_order_id = %(order)s and state = 'dispatched'", order=order.id
        )
        return [row["engineer_id"] for row in rows]

    assert await whose() == [handset.actor.person]
    await settle("accept_mine")
    assert await whose() == [second.actor.person]
    await settle("undo")
    assert await whose() == [handset.actor.person]


async def test_what_can_not_be_taken_is_kept_with_the_reason(
    handset, second, client, signed_in, database, company, clock
):
    office = await signed_in("dispatcher")
    order = await waiting_order(database, company, handset.actor)
    offer = await offered(client, office, order)
    second.record("pool.take", {"offer": offer, "wo": str(order.id)})
    refused = (await second.push()).json()["results"][0]
    assert (refused["status"], refused["code"]) == ("quarantined", "POOL_NOT_FOR_YOU")
    assert refused["facts"]["detail"] == "You can't take this work order: Has no shift in the time asked for."
    await client.delete(f"/api/v1/work-orders/{order.id}/pool", headers=office)
    handset.record("pool.take", {"offer": offer, "wo": str(order.id)})
    assert outcomes(await handset.push()) == [("quarantined", "POOL_CLOSED")]


async def test_nobody_takes_an_order_that_was_cancelled_meanwhile(handset, client, signed_in, database, company):
    office = await signed_in("dispatcher")
    order = await waiting_order(database, company, handset.actor)
    offer = await offered(client, office, order)
    body = {"action": Action.CANCEL, "reason": "Sold the oven"}
    cancelled = await client.post(f"/api/v1/work-orders/{order.id}/actions", json=body, headers=office)
    assert cancelled.status_code == 200, cancelled.text
    handset.record("pool.take", {"offer": offer, "wo": str(order.id)})
    assert outcomes(await handset.push()) == [("quarantined", "POOL_CLOSED")]
