"""Every operation of the description, tried without a token, with an old one, and with one for the other edge."""

import json
import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from callout.asgi import PUBLIC
from server.identity.domain import Audience
from tests.factories.identity import found_company, token_for

DESCRIPTION = json.loads((Path(__file__).parents[2] / "docs" / "openapi" / "openapi.json").read_text())
OPERATIONS = [
    (method.upper(), path, operation["operationId"])
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
]
GUARDED = [(method, path) for method, path, name in OPERATIONS if name not in PUBLIC]


def _address(path: str) -> str:
    return re.sub(r"\{sha256\}", "0" * 64, re.sub(r"\{[a-z_]+_id\}", str(uuid4()), path))


def test_the_public_routes_are_those_that_say_why():
    assert {name for _, _, name in OPERATIONS if name in PUBLIC} == set(PUBLIC)


async def test_without_a_token_every_guarded_route_answers_401(client):
    for method, path in GUARDED:
        answer = await client.request(method, _address(path), json={} if method in {"POST", "PATCH"} else None)
        assert answer.status_code == 401, (method, path, answer.text)


async def test_an_expired_token_opens_nothing(client, services, company, clock):
    headers = {"Authorization": f"Bearer {await token_for(services, company, 'administrator')}"}
    clock.forward(timedelta(minutes=11))
    for method, path in GUARDED:
        answer = await client.request(
            method, _address(path), json={} if method in {"POST", "PATCH"} else None, headers=headers
        )
        assert answer.status_code == 401, (method, path, answer.text)


@pytest.mark.parametrize(
    ("audience", "prefix"), [(Audience.WEB, "/mobile/"), (Audience.MOBILE, "/api/")], ids=["web", "mobile"]
)
async def test_a_token_opens_only_its_own_edge(client, services, company, audience, prefix):
    token = await token_for(services, company, "administrator", audience)
    for method, path in GUARDED:
        if path.startswith(prefix):
            answer = await client.request(
                method,
                _address(path),
                json={} if method in {"POST", "PATCH"} else None,
                headers={"Authorization": f"Bearer {token}"},
            )
            assert answer.status_code == 401, (method, path, answer.text)


async def test_nobody_of_another_organisation_can_tell_that_something_exists(client, services, database, company):
    """The same 404, whether an id is made up or another organisation's."""
    rival = await found_company(database, "rival", roles=("administrator",))
    headers = {"Authorization": f"Bearer {await token_for(services, rival, 'administrator')}"}
    ours, nobodys = str(company.actor("engineer").person), str(uuid4())
    foreign = await client.get(f"/api/v1/people/{ours}", headers=headers)
    made_up = await client.get(f"/api/v1/people/{nobodys}", headers=headers)
    assert foreign.status_code == made_up.status_code == 404
    assert foreign.json()["detail"] == made_up.json()["detail"]
    listed = (await client.get("/api/v1/people", headers=headers)).json()["items"]
    assert {person["id"] for person in listed} == {str(rival.actor("administrator").person)}
