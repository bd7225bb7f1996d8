"""A phone as the wire sees it: numbers what it records, sends what it is told to, keeps what it got."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from server.core.db import Database
from server.identity.domain import Actor
from server.sync.envelope import canonical

PUSH, PULL = "/mobile/v1/sync/push", "/mobile/v1/sync/pull"
NOW = "2026-11-23T07:30:00+00:00"


@dataclass
class Handset:
    """`order` is what its person is working on; `outbox` everything recorded, the first being number 1."""

    client: httpx.AsyncClient
    database: Database
    actor: Actor
    device: str
    headers: dict[str, str]
    order: UUID
    stream: str = field(default_factory=lambda: str(uuid4()))
    outbox: list[dict[str, Any]] = field(default_factory=list)
    cookie: str | None = None

    def note(self, body: str = "hello", **changed: Any) -> dict[str, Any]:
        return self.record("note.add", {"id": str(uuid4()), "wo": str(self.order), "body": body}, **changed)

    def record(self, name: str, args: dict[str, Any], **changed: Any) -> dict[str, Any]:
        before = hashlib.sha256(canonical(self.outbox[-1])).hexdigest() if self.outbox else None
        mutation = {
            "seq": len(self.outbox) + 1,
            "id": str(uuid4()),
            "name": name,
            "v": 1,
            "args": args,
            "at": NOW,
            "prev": before,
        } | changed
        self.outbox.append(mutation)
        return mutation

    async def push(self, *mutations: dict[str, Any], **changed: Any) -> httpx.Response:
        """Send these, or the whole outbox."""
        batch = {
            "protocol": 1,
            "device": self.device,
            "stream": self.stream,
            "clock": {"now": NOW},
            "mutations": list(mutations or self.outbox),
        } | changed
        content = json.dumps(batch)
        return await self.client.post(
            PUSH, content=content, headers=self.headers | {"Content-Type": "application/json"}
        )

    async def pull(self, **changed: Any) -> list[dict[str, Any]]:
        """Ask from the cookie it has and keep the new one; answer the lines."""
        ask = {"device": self.device, "stream": self.stream, "cookie": self.cookie} | changed
        answer = await self.client.post(PULL, json=ask, headers=self.headers)
        assert answer.status_code == 200, answer.text
        lines = [json.loads(line) for line in answer.text.split("\n") if line]
        self.cookie = lines[-1]["cookie"]
        return lines

    async def bodies(self) -> list[str]:
        """The notes the server has of this order, in the order of their text."""
        rows = await self.sql("select body from note where work_order_id = %(order)s order by body", order=self.order)
        return [row["body"] for row in rows]

    async def logged(self) -> list[dict[str, Any]]:
        return await self.sql("select * from mutation_log order by stream_id, seq")

    async def version(self) -> int:
        """Of the order's bucket."""
        rows = await self.sql("select version from sync_bucket where key = %(key)s", key=f"wo:{self.order}")
        return int(rows[0]["version"])

    async def sql(self, statement: str, **params: object) -> list[dict[str, Any]]:
        async with self.database.unit_of_work(self.actor.org) as uow:
            return await uow.rows(statement, **params)


def outcomes(answer: httpx.Response) -> list[tuple[str, str | None]]:
    """Status and code of each mutation of a batch."""
    assert answer.status_code == 200, answer.text
    return [(result["status"], result.get("code")) for result in answer.json()["results"]]


def statuses(answer: httpx.Response) -> list[str]:
    return [status for status, _ in outcomes(answer)]


def puts(lines: list[dict[str, Any]], entity: str) -> list[dict[str, Any]]:
    return [line["d"] for line in lines if line["k"] == "put" and line["t"] == entity]
