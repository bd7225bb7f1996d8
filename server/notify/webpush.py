"""Web Push: encrypted by pywebpush, signed with the server's VAPID key, sent by a client that goes nowhere else.

pywebpush's own sending has no lifetime, no time limit worth the name, and follows redirects; so it only encrypts.
"""

import asyncio
import json
import ssl
from datetime import timedelta
from socket import AddressFamily

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from pywebpush import WebPusher

from server.core.clock import Clock
from server.core.logging import logger
from server.notify.domain import DELIVERED, Delivery, Message, Outcome, PushEndpoint, PushKind
from server.notify.pace import asked_to_wait
from server.notify.push_hosts import PushHosts, is_public
from server.notify.vapid import VapidKey

ANSWER_WITHIN_S = 10.0
_SIGNED_FOR = timedelta(hours=12)

log = logger(__name__)


class WebPush:
    """contact: a mailto: or https: address for the push services' people. Lives on one event loop."""

    name = str(PushKind.WEBPUSH)

    def __init__(
        self,
        key: VapidKey,
        contact: str,
        hosts: PushHosts,
        wall: Clock,
        *,
        resolver: AbstractResolver | None = None,
        trusted: ssl.SSLContext | None = None,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._key = key
        self._contact = contact
        self._hosts = hosts
        self._wall = wall
        self._resolver = resolver
        self._trusted = trusted
        self._limit = aiohttp.ClientTimeout(total=answer_within_s, connect=answer_within_s / 2)
        self._session: aiohttp.ClientSession | None = None

    def service_of(self, to: PushEndpoint) -> str:
        return self._hosts.service_of(to.address) or self.name

    async def send(self, message: Message, to: PushEndpoint, lifetime: timedelta) -> Outcome:
        # Asked again: the list may have become shorter since the phone told us.
        if self._hosts.service_of(to.address) is None or to.p256dh is None or to.auth is None:
            return Outcome(Delivery.GONE, "no address that may be used")
        try:
            return await self._post(to.address, self._encrypted(message, to), self._headers(message, to, lifetime))
        except TimeoutError:
            return Outcome(Delivery.UNREACHABLE, "no answer in time")
        except aiohttp.ClientError as away:
            return Outcome(Delivery.UNREACHABLE, type(away).__name__)
        except Exception as wrong:
            log.warning("webpush failed", error=type(wrong).__name__, exc_info=wrong)
            return Outcome(Delivery.REFUSED, f"the client failed: {type(wrong).__name__}")

    @staticmethod
    def _encrypted(message: Message, to: PushEndpoint) -> bytes:
        subscription = {"endpoint": to.address, "keys": {"p256dh": to.p256dh, "auth": to.auth}}
        body: bytes = WebPusher(subscription).encode(json.dumps(message.payload).encode())["body"]
        return body

    def _headers(self, message: Message, to: PushEndpoint, lifetime: timedelta) -> dict[str, str]:
        service = "/".join(to.address.split("/", 3)[:3])
        until = int((self._wall.now() + _SIGNED_FOR).timestamp())
        return {
            "Authorization": self._key.authorization(service=service, contact=self._contact, until=until),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(int(lifetime.total_seconds())),
            "Urgency": "high" if message.hint.urgent else "normal",
            "Topic": message.topic,
        }

    async def _post(self, address: str, body: bytes, headers: dict[str, str]) -> Outcome:
        session = self._opened()
        async with session.post(address, data=body, headers=headers, allow_redirects=False) as answer:
            said = answer.headers.get("Retry-After")
            return _outcome(answer.status, asked_to_wait(said, self._wall.now()))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = PublicAddresses(aiohttp.ThreadedResolver()) if self._resolver is None else self._resolver
            connector = aiohttp.TCPConnector(
                resolver=resolver, ssl=True if self._trusted is None else self._trusted, ttl_dns_cache=60
            )
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self._limit, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
            await asyncio.sleep(0.01)  # its sockets are closed by the loop's next turns


class PublicAddresses(AbstractResolver):
    """Resolves names to addresses of the open Internet alone: a name that leads into our own network leads nowhere."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        public = [it for it in found if is_public(it["host"])]
        if not public:
            message = f"{host} has no public address"
            raise OSError(message)
        return public

    async def close(self) -> None:
        await self._inner.close()


def _outcome(status: int, asked_s: float) -> Outcome:
    match status:
        case 200 | 201 | 202 | 204:
            return DELIVERED
        case 404 | 410:
            return Outcome(Delivery.GONE, str(status))
        case 401 | 403:
            return Outcome(Delivery.DENIED, str(status))
        case 429 | 503:
            return Outcome(Delivery.BUSY, str(status), asked_s)
        case 400 | 406 | 413 | 415:
            return Outcome(Delivery.REFUSED, str(status))
        case _:
            return Outcome(Delivery.UNREACHABLE, str(status))
