"""Which versions of the apps this server still speaks with, and from when not any more.

A person may be offline for weeks: raising the lowest version is a date at least 30 days ahead, and what was announced
once is kept by the database, so that nobody can shorten the notice by editing a setting.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.core.db import UnitOfWork
from server.sync.errors import UpgradeRequired
from server.sync.refusals import AppWindowTooSoon

NOTICE = timedelta(days=30)
ANY_VERSION = "0"
_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}", re.ASCII)

type Version = tuple[int, ...]


def version(text: str) -> Version:
    """Read `2026.11.3`: one to four numbers. Raises ValueError."""
    if not _VERSION.fullmatch(text):
        message = f"a version is one to four numbers with dots, for example 2026.11.3; got {text[:50]!r}"
        raise ValueError(message)
    numbers = [int(part) for part in text.split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()  # 2.0 is no older than 2
    return tuple(numbers)


@dataclass(frozen=True)
class Window:
    """One platform's: apps below `min_version` are asked to update from `soft_from` and must from `hard_from` on."""

    min_version: str
    soft_from: datetime | None = None
    hard_from: datetime | None = None

    def __post_init__(self) -> None:
        version(self.min_version)
        dates = [date for date in (self.soft_from, self.hard_from) if date is not None]
        if any(date.tzinfo is None for date in dates):
            message = "soft_from and hard_from need a UTC offset"
            raise ValueError(message)
        if self.soft_from and self.hard_from and self.soft_from > self.hard_from:
            message = "soft_from must not lie after hard_from"
            raise ValueError(message)

    def refuses(self, app_version: str, now: datetime) -> bool:
        """Say whether push closes for this version; what can't be read is older than everything."""
        if self.hard_from is None or now < self.hard_from:
            return False
        try:
            return version(app_version) < version(self.min_version)
        except ValueError:
            return True


OPEN = Window(ANY_VERSION)
type Windows = Mapping[str, Window]


def window_of(windows: Windows, platform: str) -> Window:
    return windows.get(platform, OPEN)


def refuses(windows: Windows, app: str, now: datetime) -> bool:
    """Say whether an app that calls itself `PLATFORM/VERSION`, for example `pwa/2026.11.3`, is too old by now.

    One that doesn't say what it is can't be known to be young enough once any platform has closed.
    """
    platform, _, app_version = app.partition("/")
    if app:
        return window_of(windows, platform).refuses(app_version, now)
    return any(window.refuses("", now) for window in windows.values())


def check_app(windows: Windows, app: str, now: datetime) -> None:
    """Let an app in by its name and version. Raises UpgradeRequired after the hard date of its platform."""
    if refuses(windows, app, now):
        raise UpgradeRequired


async def announce(uow: UnitOfWork, windows: Windows) -> None:
    """Record the hard dates. Raises AppWindowTooSoon for one that gives phones less than the notice."""
    for platform, window in windows.items():
        if window.hard_from is not None:
            await _announce(uow, platform, window, window.hard_from)


async def _announce(uow: UnitOfWork, platform: str, window: Window, hard_from: datetime) -> None:
    known = await uow.rows(
        "select min_version, hard_from from app_window where platform = %(platform)s", platform=platform
    )
    promised = any(
        version(row["min_version"]) >= version(window.min_version) and row["hard_from"] <= hard_from for row in known
    )
    earliest = uow.now() + NOTICE
    if not promised and hard_from < earliest:
        raise AppWindowTooSoon(
            platform=platform, min_version=window.min_version, earliest=earliest.isoformat(timespec="minutes")
        )
    await uow.run(
        """
        insert into app_window (platform, min_version, hard_from, announced_at)
        values (%(platform)s, %(version)s, %(hard_from)s, %(now)s) on conflict do nothing
        """,
        platform=platform,
        version=window.min_version,
        hard_from=hard_from,
        now=uow.now(),
    )
