"""Sending the outbox: ordered batches, the same ones again until the server's answer is on our disk."""

from collections.abc import Sequence

import httpx

from simulator.device.base import Base
from simulator.device.clock import Clock
from simulator.device.errors import OutboxRefused, ProtocolBroken, UpgradeRequired
from simulator.device.line import Line, problem_code, problem_facts
from simulator.device.outbox import Json, Outbox, Recorded
from simulator.device.store import Store, put_settings

MAX_BATCH = 100
PROTOCOL = 1
APP = "reference/1.0.0"
SCHEMA = 1


class Push:
    def __init__(self, store: Store, outbox: Outbox, base: Base, line: Line, clock: Clock, *, app: str = APP) -> None:
        self._store, self._outbox, self._base, self._line, self._clock = store, outbox, base, line, clock
        self._app = app
        self._limit = MAX_BATCH

    async def run(self, new_stream: str) -> int:
        """Push until nothing waits; how many mutations were answered.

        Raises NoConnection, OutboxRefused, UpgradeRequired.
        `new_stream` is the stream to go on with if the server says that ours was forked.
        """
        answered = 0
        while batch := self._outbox.batch(self._limit):
            answered += self._take(await self._send(batch), batch, new_stream)
        return answered

    async def _send(self, batch: Sequence[Recorded]) -> httpx.Response:
        return await self._line.ask("POST", "/sync/push", json=self._request(batch))

    def _request(self, batch: Sequence[Recorded]) -> Json:
        return {
            "protocol": PROTOCOL,
            "device": self._store.setting("device_id"),
            "stream": self._outbox.stream,
            "schema": SCHEMA,
            "app": self._app,
            "clock": {"now": self._clock.now().isoformat(), "mono": self._clock.mono(), "boot": self._clock.boot},
            "acked": self._outbox.acked(),
            "mutations": [recorded.envelope for recorded in batch],
        }

    def _take(self, response: httpx.Response, batch: Sequence[Recorded], new_stream: str) -> int:
        if response.is_success:
            return self._settle(response.json(), batch)
        match response.status_code, problem_code(response):
            case 409, "SEQ_GAP":
                self._outbox.resend_from(int(problem_facts(response)["expected"]))
            case 409, "STREAM_FORKED":
                self._outbox.fork(new_stream)
            case 410, _:
                self._start_epoch(problem_facts(response))
            case 413, _ if self._limit > 1:
                self._limit //= 2
            case 426, _:
                raise UpgradeRequired(response.text)
            case _:
                raise OutboxRefused(f"push refused with {response.status_code}: {response.text}")
        return 0

    def _settle(self, reply: Json, batch: Sequence[Recorded]) -> int:
        sent = {recorded.seq: recorded.id for recorded in batch}
        results = [result for result in reply["results"] if sent.get(result["seq"]) == result["id"]]
        if not results:
            raise ProtocolBroken(f"the server answered a push without a result for any of its {len(batch)} mutations")
        self._outbox.settle(results, int(reply.get("durable_seq", 0)), self._clock.now())
        self._limit = MAX_BATCH
        return len(results)

    def _start_epoch(self, facts: Json) -> None:
        """The server was restored from a backup: give it back what it lost, and take everything anew."""
        self._base.forget_cookie()
        self._outbox.replay_from(int(facts.get("last_seq", 0)) + 1)
        with self._store.transaction() as db:
            put_settings(db, epoch=facts.get("epoch"))
