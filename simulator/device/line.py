"""The line to the server as a phone has it: it breaks, answers late, and wants a fresh token now and then."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import httpx

from simulator.device.errors import DeviceRevoked, NoConnection, SignedOut
from simulator.device.store import Store, put_settings

_REVOKED = {"DEVICE_REVOKED", "USER_DISABLED"}


class Line:
    """Requests with the device's token. A 401 is answered by a refresh; 429 and 5xx by waiting, as long as told.

    `tries` bounds how often an unanswered or refused request is sent again before NoConnection is raised; whoever
    asked then tries again later with the same content.
    """

    def __init__(
        self,
        store: Store,
        http: httpx.AsyncClient,
        rng: Random,
        *,
        tries: int = 4,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store, self._http, self._rng, self._tries, self._sleep = store, http, rng, tries, sleep
        self._refreshing = asyncio.Lock()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """The response, read to its end. Raises NoConnection, SignedOut, DeviceRevoked."""
        asked = self._http.build_request(method, f"/mobile/v1{path}", json=json, content=content, headers=headers)
        async with self._answered(asked, stream=False) as response:
            return response

    async def hand_in(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Ask with a token as it is, however old: for the one door where an expired one is good enough.

        token: whose, when the device no longer has one. Raises NoConnection.
        """
        asked = self._http.build_request(method, f"/mobile/v1{path}", json=json, content=content, headers=headers)
        asked.headers["Authorization"] = f"Bearer {token or self._store.setting('access_token') or ''}"
        reason: object = "refused"
        for attempt in range(self._tries):
            try:
                response = await self._http.send(asked)
            except httpx.TransportError as broken:
                reason = broken
                await self._back_off(attempt)
                continue
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS and not response.is_server_error:
                return response
            reason = f"the server answers {response.status_code}"
            await self._back_off(attempt, response.headers.get("Retry-After"))
        raise NoConnection(f"{method} {path}: {reason!r} after {self._tries} tries")

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, *, json: Any = None, headers: dict[str, str] | None = None
    ) -> AsyncIterator[httpx.Response]:
        """A response to read while it arrives; a line that breaks meanwhile raises NoConnection."""
        asked = self._http.build_request(method, f"/mobile/v1{path}", json=json, headers=headers)
        async with self._answered(asked, stream=True) as response:
            try:
                yield response
            except httpx.TransportError as broken:
                raise NoConnection(str(broken)) from broken

    @asynccontextmanager
    async def _answered(self, asked: httpx.Request, *, stream: bool) -> AsyncIterator[httpx.Response]:
        response = await self._insist(asked, stream=stream)
        try:
            yield response
        finally:
            await response.aclose()

    async def _insist(self, asked: httpx.Request, *, stream: bool) -> httpx.Response:
        reason: object = "refused"
        for attempt in range(self._tries):
            token = self._store.setting("access_token")
            asked.headers["Authorization"] = f"Bearer {token}"
            try:
                response = await self._http.send(asked, stream=stream)
                if response.status_code == httpx.codes.FORBIDDEN:
                    await response.aread()  # a refusal that broke off on its way says nothing: ask again
            except httpx.TransportError as broken:
                reason = broken
                await self._back_off(attempt)
                continue
            if response.status_code == httpx.codes.UNAUTHORIZED:
                await response.aclose()
                await self._refresh(token)
            elif response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
                await response.aclose()
                reason = f"the server answers {response.status_code}"
                await self._back_off(attempt, response.headers.get("Retry-After"))
            else:
                _refuse_revoked(response)
                return response
        raise NoConnection(f"{asked.method} {asked.url.path}: {reason!r} after {self._tries} tries")

    async def _back_off(self, attempt: int, wanted: str | None = None) -> None:
        """Wait as long as the server asks, else twice as long each time, always jittered."""
        try:
            seconds = float(wanted or "")
        except ValueError:
            seconds = 0.1 * 2**attempt
        await self._sleep(seconds * self._rng.uniform(1.0, 1.5))

    async def _refresh(self, stale: str | None) -> None:
        async with self._refreshing:
            if self._store.setting("access_token") != stale:
                return  # somebody else on this device already did
            token = self._store.setting("refresh_token")
            try:
                response = await self._http.post("/mobile/v1/auth/refresh", json={"refresh_token": token})
            except httpx.TransportError:
                return  # a lost reply is no loss: the old token is still stored and the server honours it once more
            _refuse_revoked(response)
            if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
                raise SignedOut(response.text)
            if response.is_success:
                keep_tokens(self._store, response.json())


def keep_tokens(store: Store, tokens: dict[str, Any]) -> None:
    """Put both tokens on the disk before either is used."""
    with store.transaction() as db:
        put_settings(db, access_token=tokens["access_token"], refresh_token=tokens["refresh_token"])


def _refuse_revoked(response: httpx.Response) -> None:
    if response.status_code == httpx.codes.FORBIDDEN and problem_code(response) in _REVOKED:
        raise DeviceRevoked(response.text, wipe=problem_facts(response).get("wipe") is True)


def problem_code(response: httpx.Response) -> str:
    """The code of a problem document in capitals without its prefix, empty when the body is none."""
    try:
        return str(response.json().get("code", "")).rsplit(".", 1)[-1].upper()
    except (ValueError, AttributeError):
        return ""


def problem_facts(response: httpx.Response) -> dict[str, Any]:
    facts = response.json().get("facts")
    return dict(facts) if isinstance(facts, dict) else {}
