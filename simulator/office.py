"""A person at a browser: signed in to the web API, staying signed in."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx

_TRIES = 5

type Json = dict[str, Any]
type Parameter = str | int | list[str]


class Refused(Exception):  # noqa: N818 - errors are nouns here
    """The server answered a request with a problem."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        try:
            self.code = str(response.json().get("code", ""))
        except (ValueError, AttributeError):
            self.code = ""
        asked = f"{response.request.method} {response.request.url.path}"
        super().__init__(f"{asked} was answered by {self.status}: {response.text[:500]}")


class Office:
    """Raises Refused for problems, httpx.TransportError when the server stays away."""

    def __init__(self, http: httpx.AsyncClient, email: str, password: str) -> None:
        self._http, self._email, self._password = http, email, password
        self._access, self._refresh_token = "", ""
        self._refreshing = asyncio.Lock()

    async def sign_in(self) -> Json:
        """Sign in; answers person and organisation. Raises Refused."""
        credentials = {"email": self._email, "password": self._password}
        response = await self._http.post("/api/v1/auth/login", json=credentials)
        if not response.is_success:
            raise Refused(response)
        return self._keep(response.json())

    async def get(self, path: str, **parameters: Parameter) -> Any:
        response = await self._ask("GET", path, params=parameters)
        return response.json()

    async def content(self, path: str) -> bytes:
        return (await self._ask("GET", path)).content

    async def post(self, path: str, body: Json) -> Any:
        """Create or act, once, even if the answer had to be asked for twice."""
        response = await self._ask("POST", path, json=body, headers={"Idempotency-Key": str(uuid4())})
        return response.json() if response.content else None

    async def put(self, path: str, body: Json) -> Any:
        return (await self._ask("PUT", path, json=body)).json()

    async def pages(self, path: str, **parameters: Parameter) -> AsyncIterator[Json]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            at = {"cursor": cursor} if cursor else {}
            page = await self.get(path, limit=200, **parameters, **at)
            for item in page["items"]:
                yield item
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    async def all(self, path: str, **parameters: Parameter) -> list[Json]:
        return [item async for item in self.pages(path, **parameters)]

    async def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        failures, renewed = 0, False
        while True:
            token = self._access
            headers = {**content.pop("headers", {}), "Authorization": f"Bearer {token}"}
            content["headers"] = headers
            try:
                response = await self._http.request(method, f"/api/v1{path}", **content)
            except httpx.TransportError:
                failures += 1
                if failures == _TRIES:
                    raise
                await asyncio.sleep(0.1 * 2**failures)
                continue
            if response.is_success:
                return response
            if response.status_code == httpx.codes.UNAUTHORIZED and not renewed:
                # However often it was tried before: a long outage outlives the token.
                await self._stay_signed_in(token)
                renewed = True
                continue
            failures, renewed = failures + 1, False
            if response.status_code not in {429, 503} or failures == _TRIES:
                raise Refused(response)
            await asyncio.sleep(float(response.headers.get("Retry-After", 0.1 * 2**failures)))

    async def _stay_signed_in(self, stale: str) -> None:
        async with self._refreshing:
            if self._access != stale:
                return
            response = await self._http.post("/api/v1/auth/refresh", json={"refresh_token": self._refresh_token})
            if response.is_success:
                self._keep(response.json())
            else:
                await self.sign_in()

    def _keep(self, reply: Json) -> Json:
        self._access, self._refresh_token = reply["access_token"], reply["refresh_token"]
        return reply
