"""Firebase Cloud Messaging through firebase-admin, set up so that it neither repeats, blocks nor hangs (see ADR 21).

Retries are ours: its own leak a stream each, deliver twice and hold up whoever waits. Access tokens are fetched in a
thread, once for all who wait: it would fetch them on the event loop.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from firebase_admin import App, credentials, exceptions, messaging
from firebase_admin._http_client import HttpxAsyncClient
from firebase_admin._retry import HttpxRetry
from firebase_admin.messaging import _MessagingService
from google.auth.exceptions import GoogleAuthError, RefreshError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

from server.core.clock import Clock
from server.core.logging import logger
from server.notify.domain import DELIVERED, Delivery, Message, Outcome, PushEndpoint, PushKind
from server.notify.pace import asked_to_wait

FCM_URL = "https://fcm.googleapis.com"
ANSWER_WITHIN_S = 10.0
_RENEW_BEFORE = timedelta(minutes=5)
_INSTALLATION_ID_LENGTH = 22

log = logger(__name__)


class Fcm:
    """account: the service account's JSON, read. url: where FCM is asked, for those who reach Google through a relay.

    Lives on one event loop from its first send on.
    """

    name = str(PushKind.FCM)

    def __init__(
        self,
        account: Mapping[str, Any],
        wall: Clock,
        *,
        url: str = FCM_URL,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._wall = wall
        self._within_s = answer_within_s
        certificate = credentials.Certificate(dict(account))
        self._access = _Access(certificate.get_credential(), wall, answer_within_s)
        options = {"projectId": account["project_id"], "httpTimeout": answer_within_s}
        self._messaging = _MessagingService(App("callout", certificate, options))
        self._messaging._fcm_url = f"{url}/v1/projects/{account['project_id']}/messages:send"  # noqa: SLF001
        self._client: HttpxAsyncClient | None = None
        self._left: dict[asyncio.Task[None], HttpxAsyncClient] = {}

    def service_of(self, to: PushEndpoint) -> str:
        del to
        return self.name

    async def send(self, message: Message, to: PushEndpoint, lifetime: timedelta) -> Outcome:
        client = self._opened()
        try:
            # Its own limits are per read and write; this one is for all of it, the access token included.
            async with asyncio.timeout(self._within_s * 1.5):
                return await self._send(client, _message(message, to, lifetime, self._wall.now()))
        except TimeoutError:
            self._hang_up(client)
            return Outcome(Delivery.UNREACHABLE, "no answer in time")
        except exceptions.FirebaseError as unread:
            return Outcome(Delivery.UNREACHABLE, f"no answer that can be read: {type(unread.cause).__name__}")
        except Exception as wrong:
            log.warning("fcm failed", error=type(wrong).__name__, exc_info=wrong)
            return Outcome(Delivery.REFUSED, f"the client failed: {type(wrong).__name__}")

    async def _send(self, client: HttpxAsyncClient, message: Any) -> Outcome:
        try:
            token = await self._access.token()
        except RefreshError:
            return Outcome(Delivery.DENIED, "no access token for this service account")
        except GoogleAuthError as away:
            return Outcome(Delivery.UNREACHABLE, f"no access token: {type(away).__name__}")
        client.async_client.headers["Authorization"] = f"Bearer {token}"
        self._messaging._async_client = client  # noqa: SLF001
        # One at a time: an answer that can't be read fails the whole list it belongs to.
        [answer] = (await self._messaging.send_each_async([message], dry_run=False)).responses
        if answer.success:
            return DELIVERED
        match answer.exception:
            case messaging.ThirdPartyAuthError():
                pass  # Google knows us; Apple does not know Google's key for the app
            case exceptions.UnauthenticatedError():
                self._access.forget(token)
            case exceptions.DeadlineExceededError():
                self._hang_up(client)
        return _outcome(answer.exception, self._wall.now())

    def _opened(self) -> HttpxAsyncClient:
        if self._client is None:
            self._client = HttpxAsyncClient(retry_config=HttpxRetry(max_retries=0), timeout=self._within_s)
        return self._client

    def _hang_up(self, client: HttpxAsyncClient) -> None:
        """Use another connection from now on: one that is dead without knowing it would be used for ever."""
        if client is self._client:
            closing = asyncio.create_task(self._close_later(client))
            self._left[closing] = client
            self._client = None

    async def _close_later(self, client: HttpxAsyncClient) -> None:
        # Others may still be waiting for answers on it.
        await asyncio.sleep(self._within_s * 2)
        await client.aclose()
        self._left = {task: left for task, left in self._left.items() if left is not client}

    async def aclose(self) -> None:
        for closing in self._left:
            closing.cancel()
        for client in (*self._left.values(), self._client):
            if client is not None:
                await client.aclose()
        self._left, self._client = {}, None


class _Access:
    """Google's access token: fetched in a thread, by one for all who wait."""

    def __init__(self, credential: Credentials, wall: Clock, answer_within_s: float) -> None:
        self._credential = credential
        self._wall = wall
        # Its own limit is two minutes, for which a thread would outlive the process's will to end.
        self._ask = partial(Request(), timeout=answer_within_s)
        self._held: tuple[str, datetime] | None = None
        self._fetching: asyncio.Task[str] | None = None

    async def token(self) -> str:
        if self._held and self._held[1] - self._wall.now() > _RENEW_BEFORE:
            return self._held[0]
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetched())
            # Looked at even when everybody who waited has given up.
            self._fetching.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        # Who gives up waiting does not give up for the others.
        return await asyncio.shield(self._fetching)

    async def _fetched(self) -> str:
        await asyncio.to_thread(self._credential.refresh, self._ask)
        token, expiry = str(self._credential.token), self._credential.expiry
        assert expiry is not None, "google-auth knows when what it has just fetched ends"
        self._held = (token, expiry.replace(tzinfo=UTC))
        return token

    def forget(self, token: str) -> None:
        if self._held and self._held[0] == token:
            self._held = None


def _message(message: Message, to: PushEndpoint, lifetime: timedelta, now: datetime) -> Any:
    built = messaging.Message(
        data=message.payload,
        android=messaging.AndroidConfig(
            collapse_key=message.topic, priority="high" if message.hint.urgent else "normal", ttl=lifetime
        ),
        apns=messaging.APNSConfig(
            headers={
                "apns-push-type": "background",
                "apns-priority": "5",
                "apns-collapse-id": message.topic,
                "apns-expiration": str(int((now + lifetime).timestamp())),
            },
            payload=messaging.APNSPayload(aps=messaging.Aps(content_available=True)),
        ),
    )
    # As a field: the constructor warns of registration tokens, which every app in use still sends.
    if len(to.address) == _INSTALLATION_ID_LENGTH:
        built.fid = to.address
    else:
        built.token = to.address
    return built


def _outcome(error: exceptions.FirebaseError, now: datetime) -> Outcome:
    status = error.http_response.status_code if error.http_response is not None else None
    reason = f"{error.code} ({status})" if status else str(error.code)
    match error:
        case messaging.UnregisteredError() | messaging.SenderIdMismatchError():
            return Outcome(Delivery.GONE, reason)
        case exceptions.InvalidArgumentError() if _blames_the_address(error):
            return Outcome(Delivery.GONE, f"{reason}: not a registration token")
        case exceptions.InvalidArgumentError():
            return Outcome(Delivery.REFUSED, reason)
        case exceptions.UnauthenticatedError() | exceptions.PermissionDeniedError():
            return Outcome(Delivery.DENIED, reason)
        case exceptions.ResourceExhaustedError() | exceptions.UnavailableError() if status:
            return Outcome(Delivery.BUSY, reason, asked_to_wait(error.http_response.headers.get("Retry-After"), now))
        case _:
            # Also a 404 that does not say UNREGISTERED: a wrong project or a proxy, and no word about the phone.
            return Outcome(Delivery.UNREACHABLE, reason)


def _blames_the_address(error: exceptions.FirebaseError) -> bool:
    if "registration token" in str(error).lower():
        return True
    fields: list[str] = []
    with suppress(Exception):
        for detail in error.http_response.json()["error"]["details"]:
            fields += [violation.get("field", "") for violation in detail.get("fieldViolations", ())]
    return bool({"message.token", "message.fid"}.intersection(fields))
