"""Raising the lowest version of an app is a promise of 30 days, kept by the database."""

from datetime import timedelta

import pytest

from server.sync.errors import UpgradeRequired
from server.sync.refusals import AppWindowTooSoon
from server.sync.windows import NOTICE, Window, announce, check_app, version, window_of

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("older", "newer"), [("2026.11.3", "2026.11.10"), ("1", "1.0.1"), ("2.9", "2.10"), ("2025.12", "2026")]
)
def test_versions_are_compared_as_numbers(older, newer):
    assert version(older) < version(newer)


def test_trailing_zeros_mean_nothing():
    assert version("2.0.0") == version("2")


@pytest.mark.parametrize("text", ["", "v2", "2.", "2..1", "2026-11-03", "1.2.3.4.5", "٢", "1 ", "-1", "1" * 10])
def test_anything_else_is_no_version(text):
    with pytest.raises(ValueError, match="one to four numbers"):
        version(text)


def test_a_window_that_makes_no_sense_is_refused(clock):
    with pytest.raises(ValueError, match="soft_from"):
        Window("2", clock.now() + DAY, clock.now())
    with pytest.raises(ValueError, match="offset"):
        Window("2", None, clock.now().replace(tzinfo=None))


@pytest.mark.parametrize(
    ("app", "too_old"),
    [
        ("pwa/2026.5.9", True),
        ("pwa/2026.6", False),
        ("pwa/2026.6.1", False),
        ("pwa/", True),
        ("pwa", True),
        ("pwa/next", True),
        ("", True),
        ("android/1", False),
    ],
)
def test_old_apps_are_refused_from_the_hard_date_on(clock, app, too_old):
    windows = {"pwa": Window("2026.6", clock.now() - DAY, clock.now())}
    check_app(windows, app, clock.now() - timedelta(seconds=1))
    if too_old:
        with pytest.raises(UpgradeRequired):
            check_app(windows, app, clock.now())
    else:
        check_app(windows, app, clock.now())


def test_without_a_window_every_app_is_welcome(clock):
    check_app({}, "", clock.now())
    assert window_of({}, "pwa") == Window("0")


async def test_a_date_without_notice_is_refused_with_the_earliest_one(uow):
    soon = {"pwa": Window("2026.6", None, uow.now() + NOTICE - timedelta(seconds=1))}
    with pytest.raises(AppWindowTooSoon) as refused:
        await announce(uow, soon)
    assert (uow.now() + NOTICE).date().isoformat() in str(refused.value)


async def test_what_was_announced_in_time_stays_good_and_may_be_relaxed_but_not_sharpened(uow, clock):
    hard = uow.now() + NOTICE
    await announce(uow, {"pwa": Window("2026.6", None, hard)})
    clock.forward(20 * DAY)
    await announce(uow, {"pwa": Window("2026.6", None, hard)})
    await announce(uow, {"pwa": Window("2026.5", None, hard)})
    await announce(uow, {"pwa": Window("2026.6", None, hard + DAY)})
    for sharper in (Window("2026.7", None, hard), Window("2026.6", None, hard - DAY)):
        with pytest.raises(AppWindowTooSoon):
            await announce(uow, {"pwa": sharper})
    with pytest.raises(AppWindowTooSoon):
        await announce(uow, {"android": Window("2026.6", None, hard)})


async def test_a_soft_date_needs_no_notice(uow):
    await announce(uow, {"pwa": Window("2026.6", uow.now(), None)})
