"""What no column could hold is refused at the rim with a sentence, never with a 5xx."""

import inspect
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

LOGIN = "/api/v1/auth/login"


@pytest.mark.parametrize(
    "body",
    [
        b'{"email": "a\\u0000b@x.example", "password": "p"}',
        b'{"email": "\\ud800@x.example", "password": "p"}',
        b'{"email": "a@x.example", "password": NaN}',
        b'{"email": "a@x.example", "password": 1e999}',
        b'{"email": "a@x.example", "password": "p", "extra": 1}',
        b'{"email": ["a"], "password": {}}',
        b'{"email": "a@x.example", "password": ' + b"9" * 5000 + b"}",
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 200 + b"1" + b"}" * 200,
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"{" + b'"k' + b"\\u0000" + b'": 1}',
    ],
)
async def test_hostile_bodies_are_refused(client, body):
    answer = await client.post(LOGIN, content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_a_body_over_the_limit_is_413_and_not_read(client):
    answer = await client.post(
        LOGIN, content=b'{"email": "' + b"a" * 5_000_000 + b'"}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.json()["code"]


async def test_a_body_of_undeclared_length_is_cut_off_at_the_limit(client):
    async def endless():
        for _ in range(100):
            yield b" " * 100_000

    answer = await client.post(LOGIN, content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


async def test_input_is_never_echoed(client):
    answer = await client.post(LOGIN, json={"email": "x" * 400, "password": {"secret": "hunter2"}})
    assert "hunter2" not in answer.text
    assert "xxxx" not in answer.text


async def test_unknown_paths_and_methods_are_problems_too(client):
    for answer in (await client.get("/api/v1/nothing"), await client.delete(LOGIN)):
        assert answer.status_code in {404, 405}
        assert answer.headers["content-type"] == "application/problem+json"


async def test_every_answer_carries_the_caller_s_trace_id(client):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = await client.get("/livez", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert answer.headers["x-trace-id"] == trace
    problem = await client.get("/api/v1/me", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert json.loads(problem.text)["trace_id"] == trace


async def test_a_process_that_stood_still_in_a_transaction_asks_to_be_tried_again(app, client, services, company):
    @app.get("/slept")
    async def slept() -> None:
        async with services.database.unit_of_work(company.id) as uow:
            await uow.run("set local idle_in_transaction_session_timeout = '20ms'")
            time.sleep(0.1)  # noqa: ASYNC251 - the whole process stands still
            await uow.run("select 1")

    answer = await client.get("/slept")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert (await client.get("/readyz")).status_code == 200


async def test_health(client):
    assert (await client.get("/livez")).json() == {"status": "ok"}
    ready = await client.get("/readyz")
    assert ready.status_code == 200
    assert "callout_http_requests_total" in (await client.get("/metrics")).text


async def test_a_route_that_does_not_say_who_may_call_it_stops_the_start(app):
    from callout.asgi import refuse_undeclared_routes

    router = APIRouter()

    @router.get("/careless")
    async def careless() -> str:
        return "hello"

    refuse_undeclared_routes(app)
    app.include_router(router)
    with pytest.raises(RuntimeError, match="careless"):
        refuse_undeclared_routes(app)


async def test_no_request_waits_for_a_thread(app):
    """The framework sends plain functions to threads: several milliseconds for a line that reads a header."""
    routes = [it.original_route for it in iter_route_contexts(app.routes)]
    calls = {call for route in routes if isinstance(route, APIRoute) for call in _calls(route.dependant)}
    waiting = [call for call in calls if not _is_awaited(call) and not _is_awaited(type(call).__call__)]
    assert len(calls) > len(waiting) == 0


def _calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    assert dependant.call is not None
    yield dependant.call
    for nested in dependant.dependencies:
        yield from _calls(nested)


def _is_awaited(call: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call)
