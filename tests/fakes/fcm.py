"""Firebase Cloud Messaging as a server of our own: the v1 API and Google's token endpoint, over TLS and HTTP/2.

As a process (`python -m tests.fakes.fcm FOLDER PORT`) it notes what it accepts in a file, before it says so.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.tls import serving

PROJECT = "callout-test"
_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


@dataclass(frozen=True)
class Reply:
    """What is answered. silent: nothing, ever. cut: the message is accepted, and the answer breaks off."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    silent: bool = False
    cut: bool = False


def refusal(status: int, name: str, *, code: str = "", field_name: str = "", **headers: str) -> Reply:
    details: list[dict[str, Any]] = [{"@type": _FCM_ERROR, "errorCode": code}] if code else []
    if field_name:
        details.append({"@type": _BAD_REQUEST, "fieldViolations": [{"field": field_name, "description": "wrong"}]})
    error = {"code": status, "message": "Refused by the fake.", "status": name, "details": details}
    named = tuple((key.replace("_", "-"), value) for key, value in headers.items())
    return Reply(status, json.dumps({"error": error}).encode(), (("content-type", "application/json"), *named))


_HTML = (("content-type", "text/html"),)
QUOTA = refusal(429, "RESOURCE_EXHAUSTED", code="QUOTA_EXCEEDED", retry_after="7")
UNAVAILABLE = refusal(503, "UNAVAILABLE", code="UNAVAILABLE", retry_after="3")
BROKEN = refusal(500, "INTERNAL", code="INTERNAL")
UNREGISTERED = refusal(404, "NOT_FOUND", code="UNREGISTERED")
SENDER_MISMATCH = refusal(403, "PERMISSION_DENIED", code="SENDER_ID_MISMATCH")
BAD_TOKEN = refusal(400, "INVALID_ARGUMENT", code="INVALID_ARGUMENT", field_name="message.token")
BAD_MESSAGE = refusal(400, "INVALID_ARGUMENT", code="INVALID_ARGUMENT", field_name="message.data")
UNAUTHENTICATED = refusal(401, "UNAUTHENTICATED")
APPLE_KEY_MISSING = refusal(401, "UNAUTHENTICATED", code="THIRD_PARTY_AUTH_ERROR")
HTML_502 = Reply(502, b"<html><h1>502 Bad Gateway</h1></html>", _HTML)
HTML_404 = Reply(404, b"<html><h1>404 Not Found</h1></html>", _HTML)
HTML_200 = Reply(200, b"<html>Welcome to the hotel's network</html>", _HTML)
SILENCE = Reply(silent=True)
CUT = Reply(cut=True)


@dataclass(frozen=True)
class Accepted:
    token: str
    message: dict[str, Any]
    http_version: str


@dataclass
class FakeFcm:
    """`planned` replies are given in turn, then `always` or, without it, success; `by_token` comes before both."""

    private_key: rsa.RSAPrivateKey
    planned: list[Reply] = field(default_factory=list)
    always: Reply | None = None
    by_token: dict[str, Reply] = field(default_factory=dict)
    accepted: list[Accepted] = field(default_factory=list)
    asked: int = 0
    tokens_given: int = 0
    token_reply: Reply | None = None
    note: Callable[[Accepted], None] | None = None
    trusting: bool = False  # takes every access token: one that was given before a restart too
    _valid: set[str] = field(default_factory=set)

    def revoke_access(self) -> None:
        self._valid.clear()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        if scope["path"] == "/token":
            reply = self.token_reply or self._grant(body)
            # Or the client would keep the line for its next token, and our own end would wait for that.
            reply = replace(reply, headers=(*reply.headers, ("connection", "close")))
        else:
            assert scope["path"] == f"/v1/projects/{PROJECT}/messages:send", scope["path"]
            reply = self._send(scope, body)
        await answer(reply, receive, send)

    def _grant(self, body: bytes) -> Reply:
        form = parse_qs(body.decode())
        claims = jwt.decode(
            form["assertion"][0], self.private_key.public_key(), algorithms=["RS256"], options={"verify_aud": False}
        )
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        assert "https://www.googleapis.com/auth/cloud-platform" in claims["scope"]
        self.tokens_given += 1
        token = f"ya29.{uuid4().hex}"
        self._valid.add(token)
        return _json({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _send(self, scope: Any, body: bytes) -> Reply:
        self.asked += 1
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if not self.trusting and headers.get("authorization", "").removeprefix("Bearer ") not in self._valid:
            return UNAUTHENTICATED
        message = json.loads(body)["message"]
        assert not json.loads(body).get("validate_only")
        [token] = [message[key] for key in ("token", "fid") if key in message]
        assert all(isinstance(value, str) for value in message["data"].values())
        reply = self.by_token.get(token) or (self.planned.pop(0) if self.planned else self.always) or Reply()
        if reply.status == 200 and not reply.silent and reply.body == b"":
            it = Accepted(token, message, scope["http_version"])
            self.accepted.append(it)
            if self.note:
                self.note(it)
        return reply if reply != Reply() else _json({"name": f"projects/{PROJECT}/messages/{uuid4().hex}"})


def _json(content: Any) -> Reply:
    return Reply(200, json.dumps(content).encode(), (("content-type", "application/json"),))


async def answer(reply: Reply, receive: Any, send: Any) -> None:
    if reply.silent:
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    headers = [(name.encode(), value.encode()) for name, value in reply.headers]
    if reply.cut:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        message = "as planned"
        raise ConnectionAbortedError(message)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


def service_account(key: rsa.RSAPrivateKey, port: int) -> dict[str, str]:
    """A key as Google's console hands it out, whose access tokens are given at `port`."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": f"push@{PROJECT}.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": f"https://localhost:{port}/token",
    }


def main(folder: Path, port: int) -> None:
    """Serve on `port` with server.pem and account.json of `folder`; append what is accepted to its accepted.txt."""
    account = json.loads((folder / "account.json").read_text())
    key = serialization.load_pem_private_key(account["private_key"].encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    with (folder / "accepted.txt").open("a", buffering=1) as accepted:
        app = FakeFcm(key, trusting=True, note=lambda it: print(it.token, it.message["data"]["id"], file=accepted))
        listening = socket.create_server(("127.0.0.1", port), reuse_port=True)
        asyncio.run(serving(app, listening, folder / "server.pem", asyncio.Event()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
