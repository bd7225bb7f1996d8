"""One request is one transaction, committed before the first byte of the answer."""

import asyncio
from typing import Annotated

import psycopg
import pytest
from fastapi import APIRouter

from edge.auth import Work, anyone_signed_in
from server.core import events
from server.core.db import Database
from server.core.relay import DELIVER
from tests.factories.identity import Company

router = APIRouter()


@router.post("/probe/{key}")
async def probe(work: Annotated[Work, anyone_signed_in()], key: str) -> dict[str, str]:
    await work.uow.run(
        "insert into skill (org_id, id, key, name) values (%(org)s, %(id)s, %(key)s, '{}')",
        org=work.uow.org,
        id=work.uow.new_id(),
        key=key,
    )
    return {"stored": key}


async def _stored(database: Database, company: Company) -> list[str]:
    async with database.unit_of_work(company.id) as uow:
        return [row["key"] for row in await uow.rows("select key from skill order by key")]


async def test_a_failing_commit_is_answered_with_an_error_and_never_with_200(
    app, client, signed_in, database, company, test_database
):
    app.include_router(router)
    headers = await signed_in("administrator")
    with psycopg.connect(test_database.owner_url) as owner:
        # A deferred constraint fails at commit, when the route function has long returned.
        owner.execute(
            """
            create function refuse() returns trigger language plpgsql as
                $$ begin raise integrity_constraint_violation using message = 'refused at commit'; end $$;
            create constraint trigger late after insert on skill deferrable initially deferred
                for each row execute function refuse();
            """
        )
    answer = await client.post("/probe/hydraulics", headers=headers)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "refused" not in answer.text
    assert await _stored(database, company) == []


async def test_a_committed_request_is_stored_when_its_answer_arrives(app, client, signed_in, database, company):
    app.include_router(router)
    answer = await client.post("/probe/hydraulics", headers=await signed_in("administrator"))
    assert answer.status_code == 200
    assert await _stored(database, company) == ["hydraulics"]


async def test_a_rolled_back_transaction_leaves_neither_rows_nor_events_nor_jobs(services, database, company):
    class Changed(Exception):
        pass

    with pytest.raises(Changed):
        async with database.unit_of_work(company.id) as uow:
            await events.append(uow, "test.happened", subject=("test", company.id))
            await uow.defer(services.jobs, DELIVER, org=company.id, event=company.id, subscriber="nobody")
            raise Changed
    async with database.unit_of_work(company.id) as uow:
        assert await uow.value("select count(*) from event where name = 'test.happened'") == 0
        assert await uow.value("select count(*) from procrastinate_jobs") == 0


async def test_a_savepoint_undoes_only_its_own_statements(database, company):
    async with database.unit_of_work(company.id) as uow:
        await _insert_skill(uow, "kept")
        with pytest.raises(psycopg.errors.UniqueViolation):
            async with uow.savepoint():
                await _insert_skill(uow, "undone")
                await _insert_skill(uow, "kept")
    assert await _stored(database, company) == ["kept"]


async def _insert_skill(uow, key: str) -> None:
    await uow.run(
        "insert into skill (org_id, id, key, name) values (%(org)s, %(id)s, %(key)s, '{}')",
        org=uow.org,
        id=uow.new_id(),
        key=key,
    )


async def test_when_postgres_ends_a_connection_the_answer_is_503_and_the_next_request_works(
    client, signed_in, test_database, services
):
    headers = await signed_in("administrator")
    assert (await client.get("/api/v1/me", headers=headers)).status_code == 200
    with psycopg.connect(test_database.owner_url, autocommit=True) as owner:
        owner.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'callout_app' and datname = %s",
            [test_database.name],
        )
    answers = [await client.get("/api/v1/me", headers=headers) for _ in range(3)]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert answers[-1].status_code == 200


async def test_an_exhausted_pool_answers_503_within_seconds(client, signed_in, database, company):
    headers = await signed_in("administrator")
    held = [database.pool.connection() for _ in range(database.pool.max_size)]
    for connection in held:
        await connection.__aenter__()
    try:
        answer = await asyncio.wait_for(client.get("/api/v1/me", headers=headers), 8)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
    finally:
        for connection in held:
            await connection.__aexit__(None, None, None)
