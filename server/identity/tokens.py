"""Credentials as text: short signed access tokens, opaque refresh tokens and API keys that name their organisation.

Only hashes of opaque secrets are stored. An opaque credential reads `PREFIX_ORGANISATION_SECRET`, so the server
knows in which organisation to look without any table that spans organisations.
"""

import base64
import hashlib
import secrets
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
class Tokens:
    """Signs and reads access tokens. `secret` has at least 32 characters."""

    secret: str

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


def opaque(prefix: str, org: UUID, random: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """Mint an opaque credential with 256 random bits."""
    return f"{prefix}_{base64.b32encode(org.bytes).decode().rstrip('=').lower()}_{random(32)}"


def organisation_in(credential: str) -> UUID:
    """Read which organisation an opaque credential belongs to. Raises NotSignedIn when it has not our form."""
    parts = credential.split("_", 2)
    try:
        return UUID(bytes=base64.b32decode(parts[1].upper() + "======"))
    except (ValueError, IndexError):
        raise NotSignedIn from None


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
