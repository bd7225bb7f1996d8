"""Faults on the line between phone and server, at the one place where all requests pass."""

from collections.abc import AsyncIterator, Callable
from enum import StrEnum

import httpx


class Fate(StrEnum):
    """What happens to one request."""

    PASS = "pass"  # noqa: S105 - no password
    NO_SIGNAL = "no_signal"  # never sent
    LOSE_REPLY = "lose_reply"  # the server did it, the phone never hears of it
    CUT = "cut"  # the reply breaks off in the middle


class FaultyTransport(httpx.AsyncBaseTransport):
    """Passes requests on to `inner`, each to the fate that `decide` answers for it."""

    def __init__(self, inner: httpx.AsyncBaseTransport, decide: Callable[[httpx.Request], Fate]) -> None:
        self._inner, self._decide = inner, decide

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fate = self._decide(request)
        if fate is Fate.NO_SIGNAL:
            raise httpx.ConnectError("no signal", request=request)
        response = await self._inner.handle_async_request(request)
        if fate is Fate.PASS:
            return response
        body = await _read(response)
        if fate is Fate.LOSE_REPLY or not body:
            raise httpx.ReadError("the reply was lost", request=request)
        return httpx.Response(response.status_code, headers=response.headers, stream=_CutStream(body[: len(body) // 2]))

    async def aclose(self) -> None:
        await self._inner.aclose()


class _CutStream(httpx.AsyncByteStream):
    def __init__(self, beginning: bytes) -> None:
        self._beginning = beginning

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._beginning
        raise httpx.ReadError("the connection broke off")


async def _read(response: httpx.Response) -> bytes:
    """Read the whole body as it came over the wire, still compressed."""
    stream = response.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise TypeError("an asynchronous transport answers with an asynchronous stream")
    body = b"".join([chunk async for chunk in stream])
    await response.aclose()
    return body
