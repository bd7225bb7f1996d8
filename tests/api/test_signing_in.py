"""Logins, refresh tokens that survive a lost reply, devices, API keys."""

from datetime import timedelta

import pytest

from server.identity import service
from server.identity.domain import Audience
from server.identity.tokens import hash_of
from tests.factories.identity import found_company

PASSWORD = "a long enough password"


@pytest.fixture
async def account(database, company):
    async with database.unit_of_work(company.id) as uow:
        await service.hire(
            uow, email="Dana@Acme.example", name="Dana", roles=["dispatcher", "engineer"], password=PASSWORD
        )
    return "dana@acme.example"


async def _login(client, email, password=PASSWORD, **more):
    return await client.post("/api/v1/auth/login", json={"email": email, "password": password, **more})


async def _refresh(client, token):
    return await client.post("/api/v1/auth/refresh", json={"refresh_token": token})


async def test_a_person_signs_in_and_is_known(client, account):
    answer = await _login(client, " DANA@acme.example ")
    assert answer.status_code == 200
    session = answer.json()
    assert "visits.dispatch" in session["person"]["permissions"]
    me = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {session['access_token']}"})
    assert me.json()["person"]["name"] == "Dana"


async def test_a_wrong_password_and_an_unknown_address_look_the_same(client, account):
    wrong = await _login(client, account, "not the password")
    unknown = await _login(client, "nobody@acme.example")
    assert wrong.status_code == unknown.status_code == 401
    for answer in (wrong, unknown):
        answer.json().pop("trace_id")
    assert wrong.json()["code"] == unknown.json()["code"] == "auth.wrong_credentials"


async def test_one_address_in_two_organisations_asks_which(client, account, database):
    other = await found_company(database, "other", roles=("administrator",))
    async with database.unit_of_work(other.id) as uow:
        await service.hire(uow, email=account, name="Dana", roles=["dispatcher"], password=PASSWORD)
    assert (await _login(client, account)).json()["code"] == "auth.several_organisations"
    chosen = await _login(client, account, organisation="other")
    assert chosen.json()["organisation"]["slug"] == "other"


async def test_a_lost_refresh_reply_logs_nobody_out(client, account):
    first = (await _login(client, account)).json()["refresh_token"]
    lost = await _refresh(client, first)
    again = await _refresh(client, first)
    assert lost.status_code == again.status_code == 200
    onward = await _refresh(client, again.json()["refresh_token"])
    assert onward.status_code == 200


async def test_two_tabs_that_refresh_at_once_both_stay_signed_in(client, account):
    first = (await _login(client, account)).json()["refresh_token"]
    one, two = (await _refresh(client, first)).json(), (await _refresh(client, first)).json()
    assert (await _refresh(client, one["refresh_token"])).status_code == 200
    assert (await _refresh(client, two["refresh_token"])).status_code == 200


async def test_a_copied_refresh_token_ends_the_whole_family(client, account):
    stolen = (await _login(client, account)).json()["refresh_token"]
    successor = (await _refresh(client, stolen)).json()["refresh_token"]
    newest = (await _refresh(client, successor)).json()
    thief = await _refresh(client, stolen)
    assert thief.json()["code"] == "auth.session_ended"
    assert (await _refresh(client, newest["refresh_token"])).json()["code"] == "auth.session_ended"
    me = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {newest['access_token']}"})
    assert me.json()["code"] == "auth.session_ended"


async def _forget(database, company, *tokens):
    """As a database restored to the time before these were issued."""
    async with database.unit_of_work(company.id) as uow:
        forgotten = [hash_of(token) for token in tokens]
        await uow.run("delete from refresh_token where token_hash = any(%(them)s)", them=forgotten)
        await uow.run("update refresh_token set spent_at = null")


async def test_a_restored_server_takes_back_the_newest_token_it_no_longer_knows(
    client, account, clock, database, company
):
    tokens = [(await _login(client, account)).json()["refresh_token"]]
    for _ in range(3):
        clock.forward(timedelta(minutes=10))
        tokens.append((await _refresh(client, tokens[-1])).json()["refresh_token"])
    await _forget(database, company, *tokens[1:])
    changed = tokens[3][:50] + ("A" if tokens[3][50] != "A" else "B") + tokens[3][51:]
    assert (await _refresh(client, tokens[3][:60])).status_code == 401
    assert (await _refresh(client, changed)).status_code == 401
    onward = await _refresh(client, tokens[3])
    assert onward.status_code == 200
    assert (await _refresh(client, tokens[2])).status_code == 401, "older than what is known: a copy"
    assert (await _refresh(client, onward.json()["refresh_token"])).status_code == 200


async def test_a_token_that_was_forgotten_does_not_revive_a_session_that_ended(
    client, account, clock, database, company
):
    first = (await _login(client, account)).json()["refresh_token"]
    clock.forward(timedelta(minutes=10))
    second = (await _refresh(client, first)).json()["refresh_token"]
    await _forget(database, company, second)
    await client.post("/api/v1/auth/logout", json={"refresh_token": first})
    assert (await _refresh(client, second)).json()["code"] == "auth.session_ended"


async def test_signing_out_ends_the_session_at_once(client, account):
    session = (await _login(client, account)).json()
    assert (
        await client.post("/api/v1/auth/logout", json={"refresh_token": session["refresh_token"]})
    ).status_code == 204
    me = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {session['access_token']}"})
    assert me.status_code == 401


async def test_an_access_token_expires_after_ten_minutes(client, account, clock):
    headers = {"Authorization": f"Bearer {(await _login(client, account)).json()['access_token']}"}
    clock.forward(timedelta(minutes=9, seconds=59))
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 200
    clock.forward(timedelta(seconds=1))
    assert (await client.get("/api/v1/me", headers=headers)).json()["code"] == "auth.token_expired"


async def test_a_disabled_person_is_refused_on_the_next_request(client, signed_in, account):
    session = (await _login(client, account)).json()
    administrator = await signed_in("administrator")
    gone = await client.post(f"/api/v1/people/{session['person']['id']}/deactivate", headers=administrator)
    assert gone.status_code == 204
    me = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {session['access_token']}"})
    assert (me.status_code, me.json()["code"]) == (403, "USER_DISABLED")
    assert (await _login(client, account)).status_code == 401


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "Administrator123"])
async def test_weak_passwords_are_refused_with_a_sentence(client, signed_in, password):
    answer = await client.post(
        "/api/v1/people",
        json={"email": "new@acme.example", "name": "New", "roles": ["dispatcher"], "password": password},
        headers=await signed_in("administrator"),
    )
    assert answer.status_code == 422
    assert answer.json()["code"] == "person.password_too_weak"


async def _code(client, signed_in, company) -> str:
    answer = await client.post(
        f"/api/v1/people/{company.actor('engineer').person}/enrolment-codes", headers=await signed_in("administrator")
    )
    assert answer.status_code == 201
    code: str = answer.json()["code"]
    return code


async def _enrol(client, code):
    return await client.post(
        "/mobile/v1/sync/devices",
        json={"code": code, "name": "Phone", "platform": "test", "app_version": "1", "storage_persisted": True},
    )


async def test_a_device_enrols_once_with_a_code_however_it_is_typed(client, signed_in, company):
    code = await _code(client, signed_in, company)
    enrolled = await _enrol(client, code.lower().replace("-", " "))
    assert enrolled.status_code == 201
    assert enrolled.json()["person"]["id"] == str(company.actor("engineer").person)
    assert (await _enrol(client, code)).json()["code"] == "device.enrolment_code_refused"


async def test_a_lost_reply_to_an_enrolment_is_repeated_by_the_same_phone_only(client, signed_in, company, clock):
    code = await _code(client, signed_in, company)
    phone = {"code": code, "name": "Phone", "platform": "test", "app_version": "1", "public_key": "key of this phone"}
    lost = await client.post("/mobile/v1/sync/devices", json=phone)
    again = await client.post("/mobile/v1/sync/devices", json=phone)
    assert lost.json()["device_id"] == again.json()["device_id"]
    other = await client.post("/mobile/v1/sync/devices", json=phone | {"public_key": "another key"})
    assert other.status_code == 422
    clock.forward(service.ENROLMENT_REPEATABLE + timedelta(seconds=1))
    assert (await client.post("/mobile/v1/sync/devices", json=phone)).status_code == 422


async def test_an_old_enrolment_code_is_refused(client, signed_in, company, clock):
    code = await _code(client, signed_in, company)
    clock.forward(service.ENROLMENT_LIFETIME)
    assert (await _enrol(client, code)).status_code == 422


async def test_a_revoked_device_is_cut_off_at_once_and_told_to_wipe(client, signed_in, company):
    device = (await _enrol(client, await _code(client, signed_in, company))).json()
    phone = {"Authorization": f"Bearer {device['access_token']}"}
    pull = {"device": device["device_id"], "stream": device["device_id"], "cookie": None}
    assert (await client.post("/mobile/v1/sync/pull", json=pull, headers=phone)).status_code == 200
    revoked = await client.post(
        f"/api/v1/devices/{device['device_id']}/revoke",
        json={"why": "stolen"},
        headers=await signed_in("administrator"),
    )
    assert revoked.status_code == 204
    refused = await client.post("/mobile/v1/sync/pull", json=pull, headers=phone)
    assert (refused.status_code, refused.json()["code"]) == (403, "DEVICE_REVOKED")
    assert refused.json()["facts"]["wipe"] is True
    again = await client.post("/mobile/v1/auth/refresh", json={"refresh_token": device["refresh_token"]})
    assert again.status_code in {401, 403}


async def test_a_phone_token_opens_nothing_on_the_web_nor_the_reverse(client, signed_in, company):
    device = (await _enrol(client, await _code(client, signed_in, company))).json()
    assert (
        await client.get("/api/v1/me", headers={"Authorization": f"Bearer {device['access_token']}"})
    ).status_code == 401
    pull = {"device": device["device_id"], "stream": device["device_id"], "cookie": None}
    browser = await signed_in("engineer")
    assert (await client.post("/mobile/v1/sync/pull", json=pull, headers=browser)).status_code == 401


async def test_an_api_key_does_what_its_scopes_and_its_maker_may(client, signed_in):
    headers = await signed_in("administrator")
    made = await client.post("/api/v1/api-keys", json={"name": "ERP", "scopes": ["people.read"]}, headers=headers)
    key = made.json()["key"]
    assert made.json()["prefix"] == key[:12]
    as_key = {"Authorization": f"Bearer {key}"}
    assert (await client.get("/api/v1/people", headers=as_key)).status_code == 200
    assert (await client.get("/api/v1/api-keys", headers=as_key)).status_code == 403
    listed = (await client.get("/api/v1/api-keys", headers=headers)).json()["items"]
    assert listed[0]["last_used_at"] is not None
    assert "key" not in listed[0]
    await client.delete(f"/api/v1/api-keys/{made.json()['id']}", headers=headers)
    assert (await client.get("/api/v1/people", headers=as_key)).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "cok_", "cok_aaaa_bbbb", "a.b.c", "\x7f", "cok_" + "a" * 5000])
async def test_garbage_for_a_token_is_401(client, token):
    answer = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_of_another_server_is_refused(client, company, services):
    from server.identity.tokens import Tokens

    forged = Tokens("another server's secret " + "y" * 32).issue(
        org=company.id,
        person=company.actor("administrator").person,
        session=company.id,
        device=None,
        audience=Audience.WEB,
        now=services.wall_clock.now(),
    )
    assert (await client.get("/api/v1/me", headers={"Authorization": f"Bearer {forged}"})).status_code == 401


async def test_people_are_listed_in_pages_that_neither_skip_nor_repeat(client, signed_in, company):
    headers = await signed_in("administrator")
    seen, cursor = [], None
    while True:
        page = (
            await client.get(
                "/api/v1/people", params={"limit": 4} | ({"cursor": cursor} if cursor else {}), headers=headers
            )
        ).json()
        seen += [person["name"] for person in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == sorted(person.name for person in company.people.values())


@pytest.mark.parametrize("cursor", ["x", "WzFd", "WyJhIiwgIm5vdC1hbi1pZCJd", "////"])
async def test_a_made_up_cursor_is_refused(client, signed_in, cursor):
    answer = await client.get("/api/v1/people", params={"cursor": cursor}, headers=await signed_in("administrator"))
    assert answer.status_code == 400


async def test_creating_twice_under_one_idempotency_key_creates_once(client, signed_in):
    headers = await signed_in("administrator") | {"Idempotency-Key": "hire-1"}
    body = {"email": "twice@acme.example", "name": "Twice", "roles": ["engineer"]}
    first = await client.post("/api/v1/people", json=body, headers=headers)
    second = await client.post("/api/v1/people", json=body, headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    other = await client.post("/api/v1/people", json=body | {"name": "Other"}, headers=headers)
    assert other.json()["code"] == "idempotency.key_reused"
