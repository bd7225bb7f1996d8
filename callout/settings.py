"""Settings load with nothing set on a developer's machine and fail at start with a sentence that says what to do."""

import os
import secrets
import sys
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.core.clock import Clock, parse_clock
from server.sync.windows import Window

_MIN_SECRET = 32


class Settings(BaseSettings):
    """Every setting is an environment variable `CALLOUT_…`; secrets may also be files in /run/secrets."""

    model_config = SettingsConfigDict(
        env_prefix="CALLOUT_",
        env_ignore_empty=True,
        secrets_dir="/run/secrets" if Path("/run/secrets").is_dir() else None,
        frozen=True,
        populate_by_name=True,
    )

    admin_database_url: SecretStr | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="a superuser's connection, for setting up and migrating; ./do gives its private cluster's",
    )
    runtime_database_url: SecretStr | None = Field(
        default=None, description="what the product itself connects as; else derived from DATABASE_URL"
    )
    database_name: str = "callout"
    behind_pgbouncer: bool = False
    pool_size: Annotated[int, Field(ge=1, le=200)] = 12
    host: str = "127.0.0.1"
    public_url: str = Field(
        default="", description="where customers reach us, for links in reports; else host and port"
    )
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    state_dir: Path = Path(".state")
    secret: SecretStr | None = Field(default=None, description="signs access tokens; at least 32 characters")
    clock: str = Field(default="", description="START@UNIXxSPEED plays business time faster (demo); empty is real time")
    region: str = Field(default="", description="name of the prepared map region; empty takes the only or newest one")
    web_dir: Path = Path("web/apps/board/dist")
    log_level: str = "INFO"
    app_windows: dict[str, Window] = Field(
        default={},
        description='from when apps must be how new, as JSON by platform: {"pwa": {"min_version": "2026.11.3", '
        '"soft_from": "2026-12-01T00:00:00Z", "hard_from": "2027-01-15T00:00:00Z"}}; 30 days ahead at least',
    )
    max_body_bytes: Annotated[int, Field(ge=1_000)] = 4_000_000

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < _MIN_SECRET:
            message = f"needs at least {_MIN_SECRET} characters; make one with: openssl rand -hex 32"
            raise ValueError(message)
        return secret

    @field_validator("clock")
    @classmethod
    def _readable(cls, clock: str) -> str:
        parse_clock(clock)
        return clock

    @property
    def own_url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @cached_property
    def business_clock(self) -> Clock:
        return parse_clock(self.clock)

    @cached_property
    def signing_secret(self) -> str:
        """The given secret, or one made at first use and kept in the state folder so that restarts keep logins."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        return kept_secret(self.state_dir / "secrets" / "signing")


def kept_secret(path: Path) -> str:
    """Read a secret from a private file, making it once if it is missing."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile("w", dir=path.parent, delete_on_close=False) as draft:
            draft.write(secrets.token_urlsafe(48))
            draft.close()
            with suppress(FileExistsError):  # two processes at once: the first one's secret stands, whole
                os.link(draft.name, path)
    return path.read_text()


def load() -> Settings:
    """Read the environment; exit with one sentence per wrong setting."""
    try:
        return Settings()
    except ValidationError as wrong:
        for error in wrong.errors():
            name = "_".join(str(part) for part in error["loc"]).upper()
            print(f"callout: CALLOUT_{name}: {error['msg']}", file=sys.stderr)
        sys.exit(2)
