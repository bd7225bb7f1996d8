"""Ways to break the engine on purpose. A checker that finds nothing proves nothing: it must find each of these."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import pytest

from server.core.db import UnitOfWork
from server.sync import push, queries
from tests.soak.world import World

type Sabotage = Callable[[World, pytest.MonkeyPatch], None]


def stored_results_are_forgotten(_world: World, patch: pytest.MonkeyPatch) -> None:
    """Whatever arrives again is taken for new."""
    patch.setattr(push, "_earlier_result", lambda *_: None)


def a_trigger_is_lost(world: World, _patch: pytest.MonkeyPatch) -> None:
    world.admin.execute("drop trigger sync_3 on note")


def savepoints_are_dropped(_world: World, patch: pytest.MonkeyPatch) -> None:
    """A mutator that fails leaves half an effect behind."""
    patch.setattr(UnitOfWork, "savepoint", lambda _: nullcontext())


def cookies_run_ahead(_world: World, patch: pytest.MonkeyPatch) -> None:
    """The device is taken to hold the next version of every bucket already."""
    honest = queries.store_cookie

    async def early(*where: Any, sent: Mapping[str, int], **more: Any) -> Any:
        return await honest(*where, sent={key: version + 1 for key, version in sent.items()}, **more)

    patch.setattr(queries, "store_cookie", early)


def everybody_sees_every_order(world: World, _patch: pytest.MonkeyPatch) -> None:
    world.admin.execute("alter function sync_scope(uuid, timestamptz) rename to sync_scope_honest")
    world.admin.execute(
        """
        create function sync_scope(whom uuid, at timestamptz) returns table (key text, rank integer)
            language sql stable as $$
            select * from sync_scope_honest(whom, at) union select 'wo:' || id, 50 from work_order
        $$
        """
    )


def money_is_spent_twice(world: World, _patch: pytest.MonkeyPatch) -> None:
    world.admin.execute(
        """
        create function soak_twice() returns trigger language plpgsql as $$
        begin
            if pg_trigger_depth() = 1 then
                new.id := gen_random_uuid();
                insert into cost select new.*;
            end if;
            return null;
        end $$;
        create trigger soak_twice after insert on cost for each row execute function soak_twice();
        """
    )


def balances_stand_still(world: World, _patch: pytest.MonkeyPatch) -> None:
    world.admin.execute("alter table stock_movement disable trigger user")


def versions_start_again(world: World, _patch: pytest.MonkeyPatch) -> None:
    """Every now and then a bucket's version falls back to one."""
    world.admin.execute(
        """
        create function soak_fall() returns trigger language plpgsql as $$
        begin
            if new.version % 7 = 0 then new.version := 1; end if;
            return new;
        end $$;
        create trigger soak_fall before update on sync_bucket for each row execute function soak_fall();
        """
    )


SABOTAGES: Mapping[Sabotage, frozenset[str]] = {
    stored_results_are_forgotten: frozenset({"I1", "5xx", "rest"}),
    a_trigger_is_lost: frozenset({"I3"}),
    savepoints_are_dropped: frozenset({"I2", "5xx"}),
    cookies_run_ahead: frozenset({"I3"}),
    everybody_sees_every_order: frozenset({"I8"}),
    money_is_spent_twice: frozenset({"I2"}),
    balances_stand_still: frozenset({"I4"}),
    versions_start_again: frozenset({"I3", "I7"}),
}
