"""The line between phones and the application, in one process: what happens to each request is the seed's decision."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from time import perf_counter
from typing import override

import httpx
import psycopg
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.soak.statements import WatchedConnection, watching
from tests.soak.turns import Turns


class Fault(StrEnum):
    NO_SIGNAL = "no_signal"  # the request is never sent
    LOST_REPLY = "lost_reply"  # the server did it, the phone never hears of it
    TWICE = "twice"  # sent two times, one after the other; the second answer arrives
    TWICE_AT_ONCE = "twice_at_once"  # two copies meet in the server
    HELD = "held"  # the phone gives up; the network delivers the request later, after others
    CUT = "cut"  # the answer breaks off at some byte
    BUSY = "busy"  # a proxy answers 503
    BACKEND_ENDED = "backend_ended"  # Postgres loses the connection in the middle
    WORKER_ENDED = "worker_ended"  # the server's process dies in the middle


LIKELY: Mapping[Fault, float] = {
    Fault.NO_SIGNAL: 0.05,
    Fault.LOST_REPLY: 0.05,
    Fault.TWICE: 0.02,
    Fault.TWICE_AT_ONCE: 0.01,
    Fault.HELD: 0.02,
    Fault.CUT: 0.03,
    Fault.BUSY: 0.01,
    Fault.BACKEND_ENDED: 0.02,
    Fault.WORKER_ENDED: 0.02,
}
_ACCIDENT_WITHIN = 40  # exchanges with the database among which one is chosen for an accident
_MOST_HELD = 30


class WorkerEnded(BaseException):
    """The process that worked on a request is gone. No code of a real one would see this, so none may catch it."""


@dataclass(frozen=True)
class Answer:
    """What the server said, whether or not anybody heard it; `body` as it went over the wire."""

    request: httpx.Request
    status: int
    headers: httpx.Headers
    body: bytes

    def response(self) -> httpx.Response:
        return httpx.Response(self.status, headers=self.headers, content=self.body)


class Accident:
    """Ends the backend, and the worker with it if wanted, before the n-th exchange of a request with the database."""

    def __init__(self, at: int, admin: psycopg.Connection, *, worker: bool) -> None:
        self._left, self._admin, self._worker = at, admin, worker
        self.worker_gone = False

    async def before(self, connection: WatchedConnection) -> None:
        self._left -= 1
        if self._left != 0:
            return
        self._admin.execute("select pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
        if self._worker:
            self.worker_gone = True
            raise WorkerEnded


class Network:
    """Everything between the phones and the application. `observe` sees every answer that was produced."""

    def __init__(self, app: ASGIApp, rng: Random, admin: psycopg.Connection, observe: Callable[[Answer], None]) -> None:
        self._app = httpx.ASGITransport(_Remembering(app, self), raise_app_exceptions=False)
        self.last_error: Exception | None = None
        self._rng, self._admin, self._observe = rng, admin, observe
        self.calm = False
        self.held: list[httpx.Request] = []
        self.happened: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)  # spent in the application, by path

    async def pass_on(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.TransportError as a real line would."""
        fault = None if self.calm or watching.get() else self._fate()
        if fault is None:
            return (await self.deliver(request)).response()
        self.happened[fault] += 1
        match fault:
            case Fault.NO_SIGNAL:
                raise httpx.ConnectError("no signal", request=request)
            case Fault.BUSY:
                return httpx.Response(503, headers={"Retry-After": "1"})
            case Fault.HELD:
                self._hold(request)
                raise httpx.ReadTimeout("no answer in time", request=request)
            case Fault.BACKEND_ENDED | Fault.WORKER_ENDED:
                return await self._with_accident(request, worker=fault is Fault.WORKER_ENDED)
        return await self._with_bad_reply(request, fault)

    async def _with_bad_reply(self, request: httpx.Request, fault: Fault) -> httpx.Response:
        if fault is Fault.TWICE_AT_ONCE:
            copies = await Turns(self._rng, self._admin).play(self.deliver(request), self.deliver(request))
            for copy in copies:
                if isinstance(copy, BaseException):
                    raise copy
            first: Answer = copies[0]
            return first.response()
        answer = await self.deliver(request)
        if fault is Fault.LOST_REPLY:
            raise httpx.ReadError("the reply was lost", request=request)
        if fault is Fault.CUT:
            return self._cut(answer)
        return (await self.deliver(request)).response()

    async def deliver(self, request: httpx.Request) -> Answer:
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=request.content)
        began = perf_counter()
        response = await self._app.handle_async_request(copy)
        self.seconds[path_of(request)] += perf_counter() - began
        body = b"".join([chunk async for chunk in response.stream])
        if isinstance(accident := watching.get(), Accident) and accident.worker_gone:
            raise WorkerEnded  # whatever its handlers made of that: a dead process says nothing
        answer = Answer(request, response.status_code, response.headers, body)
        try:
            self._observe(answer)
        except AssertionError as broken:
            raise broken from self.last_error
        return answer

    async def deliver_one_held(self) -> None:
        """The network remembers a request nobody waits for any more."""
        if self.held:
            await self.deliver(self.held.pop(self._rng.randrange(len(self.held))))

    def _fate(self) -> Fault | None:
        drawn = self._rng.random()
        for fault, share in LIKELY.items():
            drawn -= share
            if drawn < 0:
                return fault
        return None

    def _hold(self, request: httpx.Request) -> None:
        self.held.append(request)
        if len(self.held) > _MOST_HELD:
            self.held.pop(0)

    def _cut(self, answer: Answer) -> httpx.Response:
        if not answer.body:
            raise httpx.ReadError("the reply was lost", request=answer.request)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Cut(answer.body[: int(self._rng.random() * len(answer.body))]),
        )

    async def _with_accident(self, request: httpx.Request, *, worker: bool) -> httpx.Response:
        at = self._rng.randint(1, _ACCIDENT_WITHIN)
        token = watching.set(Accident(at, self._admin, worker=worker))
        try:
            return (await self.deliver(request)).response()
        except WorkerEnded:
            raise httpx.ReadError("the server went away", request=request) from None
        finally:
            watching.reset(token)


class _Remembering:
    """Keeps the exception behind a 500, which a client never sees."""

    def __init__(self, app: ASGIApp, network: Network) -> None:
        self._app, self._network = app, network

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._network.last_error = None
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            self._network.last_error = error
            raise


def path_of(request: httpx.Request) -> str:
    """Method and path, ids left out."""
    return f"{request.method} {re.sub('[0-9a-f-]{32,}', '…', request.url.path)}"


class Line(httpx.AsyncBaseTransport):
    """One phone's connection to the network."""

    def __init__(self, network: Network) -> None:
        self._network = network

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return await self._network.pass_on(request)


class _Cut(httpx.AsyncByteStream):
    def __init__(self, beginning: bytes) -> None:
        self._beginning = beginning

    @override
    async def __aiter__(self):
        yield self._beginning
        raise httpx.ReadError("the connection broke off")
