"""Settings load with nothing set on a developer's machine and fail at start with a sentence that says what to do."""

import importlib.util
import json
import os
import re
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.core.clock import Clock, parse_clock
from server.notify.push_hosts import PushHosts
from server.notify.vapid import VapidKey
from server.sync.windows import Window

_MIN_SECRET = 32
_LONGEST_SOCKET = 103  # what every Unix takes


class RoadEngine(StrEnum):
    OSRM = "osrm"
    VALHALLA = "valhalla"  # needs the extra of this name


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
    road_engine: RoadEngine = RoadEngine.OSRM
    travel_socket: Path | None = Field(
        default=None, description="where `callout travel` listens; empty opens the roads in each process"
    )
    web_dir: Path = Path("web/apps/board/dist")
    log_level: str = "INFO"
    seal_dir: Path | None = Field(default=None, description="keys that seal reports; else secrets/seals in the state")
    tsa_url: str = Field(default="", description="RFC 3161 time-stamp authority for seals and the audit chain")
    tsa_certificates: Path | None = Field(default=None, description="PEM file by which its time-stamps are checked")
    app_windows: dict[str, Window] = Field(
        default={},
        description='from when apps must be how new, as JSON by platform: {"pwa": {"min_version": "2026.11.3", '
        '"soft_from": "2026-12-01T00:00:00Z", "hard_from": "2027-01-15T00:00:00Z"}}; 30 days ahead at least',
    )
    max_body_bytes: Annotated[int, Field(ge=1_000)] = 4_000_000
    blob_store: str = Field(default="", description="s3://bucket/prefix; empty keeps files in the state folder")
    s3_endpoint: str = Field(default="", description="https://… of a store that is not Amazon's; http only on loopback")
    s3_region: str = "us-east-1"
    s3_key_id: SecretStr | None = Field(default=None, description="with s3_secret_key; else the machine's role")
    s3_secret_key: SecretStr | None = None
    fcm_account: Path | None = Field(
        default=None, description="Firebase's service account as a JSON file; none: no FCM"
    )
    fcm_url: str = Field(default="https://fcm.googleapis.com", description="a relay, where Google can't be reached")
    vapid_key: SecretStr | None = Field(
        default=None, description="P-256 private key (PEM) for Web Push; else made once and kept in the state folder"
    )
    push_hosts: str = Field(default="", description="push services besides the browsers' own, separated by commas")
    push_contact: str = Field(
        default="mailto:push@callout.invalid", description="mailto: or https: address push services may write to"
    )
    device_bytes_a_day: Annotated[int, Field(ge=1)] = 2_000_000_000
    organisation_bytes: Annotated[int | None, Field(ge=1)] = Field(
        default=None, description="files an organisation may keep; empty is as much as there is room"
    )

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

    @field_validator("tsa_certificates")
    @classmethod
    def _there(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            message = f"{path} is no file"
            raise ValueError(message)
        return path

    @field_validator("road_engine")
    @classmethod
    def _installed(cls, engine: RoadEngine) -> RoadEngine:
        if engine is RoadEngine.VALHALLA and not importlib.util.find_spec("valhalla"):
            message = "needs pyvalhalla, which is not installed: pip install 'callout[valhalla]'"
            raise ValueError(message)
        return engine

    @field_validator("travel_socket")
    @classmethod
    def _short(cls, path: Path | None) -> Path | None:
        if path is not None and len(os.fsencode(path)) > _LONGEST_SOCKET:
            message = f"has more than {_LONGEST_SOCKET} bytes, too long for a Unix socket; give a shorter path"
            raise ValueError(message)
        return path

    @model_validator(mode="after")
    def _authority_is_known(self) -> Self:
        if self.tsa_url and self.tsa_certificates is None:
            message = "CALLOUT_TSA_URL needs CALLOUT_TSA_CERTIFICATES: without them nobody could check a time-stamp"
            raise ValueError(message)
        return self

    @field_validator("blob_store")
    @classmethod
    def _known_store(cls, url: str) -> str:
        if url and not re.fullmatch(r"s3://[a-z0-9.-]{3,63}(/[A-Za-z0-9._/-]*)?", url):
            message = "reads s3://bucket or s3://bucket/prefix; leave it empty to keep files on this disk"
            raise ValueError(message)
        return url

    @field_validator("s3_endpoint")
    @classmethod
    def _nobody_listens(cls, url: str) -> str:
        if url and not re.match(r"https://|http://(127\.0\.0\.1|localhost|\[::1\])(:|/|$)", url):
            message = "needs https: keys and customers' photos go over this line (http is for loopback alone)"
            raise ValueError(message)
        return url

    @model_validator(mode="after")
    def _keys_in_pairs(self) -> Self:
        if (self.s3_key_id is None) is not (self.s3_secret_key is None):
            message = "CALLOUT_S3_KEY_ID and CALLOUT_S3_SECRET_KEY belong together: give both or neither"
            raise ValueError(message)
        return self

    @field_validator("fcm_account")
    @classmethod
    def _service_account(cls, path: Path | None) -> Path | None:
        if path is not None and not _is_service_account(path):
            message = f"{path} is no service account: make one in the Firebase console, Project settings"
            raise ValueError(message)
        return path

    @field_validator("fcm_url")
    @classmethod
    def _over_https(cls, url: str) -> str:
        if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?", url):
            message = "needs https and a host alone: tokens go over this line"
            raise ValueError(message)
        return url

    @field_validator("vapid_key")
    @classmethod
    def _a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            VapidKey(key.get_secret_value())
        return key

    @field_validator("push_hosts")
    @classmethod
    def _known_hosts(cls, listed: str) -> str:
        PushHosts(_listed(listed))
        return listed

    @field_validator("push_contact")
    @classmethod
    def _somebody(cls, contact: str) -> str:
        if not re.fullmatch(r"mailto:[^@\s]+@[\w-]+(\.[\w-]+)+|https://[\w-]+(\.[\w-]+)+", contact):
            message = "reads mailto:you@example.com or https://example.com"
            raise ValueError(message)
        return contact

    @property
    def more_push_hosts(self) -> list[str]:
        return _listed(self.push_hosts)

    @property
    def anchors_dir(self) -> Path:
        return self.state_dir / "audit" / "anchors"

    @property
    def regions_dir(self) -> Path:
        return self.state_dir / "regions"

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


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _is_service_account(path: Path) -> bool:
    try:
        account = json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    needed = {"project_id", "private_key", "client_email", "token_uri"}
    return isinstance(account, dict) and account.get("type") == "service_account" and needed <= account.keys()


def _words() -> str:
    return secrets.token_urlsafe(48)


def kept_secret(path: Path, make: Callable[[], str] = _words) -> str:
    """Read a secret from a private file, making it once if it is missing."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile("w", dir=path.parent, delete_on_close=False) as draft:
            draft.write(make())
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
