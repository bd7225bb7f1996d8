"""Credentials as text: short signed access tokens, opaque refresh tokens and API keys that name their organisation.

Only hashes of opaque secrets are stored. An opaque credential reads `PREFIX_ORGANISATION_SECRET`, so the server
knows in which organisation to look without any table that spans organisations.
"""

import base64
import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from server.identity.domain import Audience
from server.identity.errors import AccessTokenExpired, NotSignedIn

ACCESS_LIFETIME = timedelta(minutes=10)
REFRESH_LIFETIME = timedelta(days=90)  # engineers come back after weeks; revoking acts at once
API_KEY_PREFIX = "cok"
REFRESH_PREFIX = "cor"
_ALGORITHM = "HS256"
_REFRESH = struct.Struct(">16sQ16s")  # session, microseconds since 1970, random
_SEAL_BYTES = 16


@dataclass(frozen=True)
class Credential:
    """What a presented token claims, its signature checked: an access token names a person, an API key its hash."""

    org: UUID
    audience: Audience
    person: UUID | None = None
    session: UUID | None = None
    device: UUID | None = None
    api_key_hash: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class RefreshClaim:
    """What a refresh token says of itself, its seal checked. Whether it is still good, the database says."""

    session: UUID
    issued_at: datetime


@dataclass(frozen=True)
class Tokens:
    """Signs and reads access tokens, seals refresh tokens. `secret` has at least 32 characters."""

    secret: str

    def refresh_token(self, *, org: UUID, session: UUID, now: datetime) -> str:
        """Mint one that can be told to be ours even by a database restored to a time before it was issued."""
        claim = _REFRESH.pack(session.bytes, _microseconds(now), secrets.token_bytes(16))
        return _named(REFRESH_PREFIX, org, _text(claim + self._seal(org, claim)))

    def read_refresh_token(self, text: str) -> RefreshClaim | None:
        """Answer what the token claims; None when the seal is not ours."""
        try:
            said = base64.urlsafe_b64decode(text.split("_", 2)[2] + "==")
            claim, seal = said[: _REFRESH.size], said[_REFRESH.size :]
            session, issued_at, _ = _REFRESH.unpack(claim)
        except (ValueError, IndexError, struct.error):
            return None
        if not hmac.compare_digest(seal, self._seal(organisation_in(text), claim)):
            return None
        return RefreshClaim(UUID(bytes=session), datetime.fromtimestamp(issued_at / 1_000_000, UTC))

    def _seal(self, org: UUID, claim: bytes) -> bytes:
        return hmac.digest(self.secret.encode(), b"refresh" + org.bytes + claim, "sha256")[:_SEAL_BYTES]

    def issue(
        self, *, org: UUID, person: UUID, session: UUID, device: UUID | None, audience: Audience, now: datetime
    ) -> str:
        claims: dict[str, Any] = {
            "aud": audience,
            "org": str(org),
            "sub": str(person),
            "sid": str(session),
            "iat": now,
            "exp": now + ACCESS_LIFETIME,
        }
        if device:
            claims["did"] = str(device)
        return jwt.encode(claims, self.secret, _ALGORITHM)

    def read(self, text: str, audiences: frozenset[Audience], now: datetime) -> Credential:
        """Check signature, audience and expiry. Raises NotSignedIn or AccessTokenExpired."""
        if text.startswith(f"{API_KEY_PREFIX}_"):
            if Audience.INTEGRATION not in audiences:
                raise NotSignedIn
            return Credential(organisation_in(text), Audience.INTEGRATION, api_key_hash=hash_of(text))
        credential = self.read_expired(text, audiences)
        if credential.expires_at is None or credential.expires_at <= now:
            raise AccessTokenExpired
        return credential

    def read_expired(self, text: str, audiences: frozenset[Audience]) -> Credential:
        """Check signature and audience only: says who this was, not that they may still do anything.

        Raises NotSignedIn.
        """
        try:
            claims = jwt.decode(
                text,
                self.secret,
                [_ALGORITHM],
                audience=list(audiences),
                options={"require": ["aud", "exp", "sub", "sid", "org"], "verify_exp": False, "verify_iat": False},
            )
            return Credential(
                UUID(claims["org"]),
                Audience(claims["aud"]),
                UUID(claims["sub"]),
                UUID(claims["sid"]),
                UUID(claims["did"]) if "did" in claims else None,
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError):
            raise NotSignedIn from None


def _microseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def opaque(prefix: str, org: UUID, random: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """Mint an opaque credential with 256 random bits."""
    return _named(prefix, org, random(32))


def _named(prefix: str, org: UUID, secret: str) -> str:
    return f"{prefix}_{base64.b32encode(org.bytes).decode().rstrip('=').lower()}_{secret}"


def organisation_in(credential: str) -> UUID:
    """Read which organisation an opaque credential belongs to. Raises NotSignedIn when it has not our form."""
    parts = credential.split("_", 2)
    try:
        return UUID(bytes=base64.b32decode(parts[1].upper() + "======"))
    except (ValueError, IndexError):
        raise NotSignedIn from None


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
