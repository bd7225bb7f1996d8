"""What the composition root hands to the routes."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, cast

from fastapi import Depends, Request
from procrastinate import App as JobApp

from edge.feeds import Feed
from server.confirmation.sealing import Sealer
from server.core.clock import Clock
from server.core.db import Database
from server.dispatch import live
from server.dispatch.board import News
from server.geo.region import Region, RegionInUse
from server.geo.travel import Travel
from server.identity.tokens import Tokens
from server.media.domain import FileRules
from server.media.store import BlobStore
from server.notify import service as notify
from server.notify.domain import Message
from server.notify.endpoints import PushOffer
from server.sync.registry import Registry
from server.sync.windows import Windows


@dataclass(frozen=True)
class Services:
    database: Database
    jobs: JobApp
    tokens: Tokens
    wall_clock: Clock  # tokens expire in real time even where business time is played faster
    travel: Travel
    regions: RegionInUse
    blobs: BlobStore
    files: FileRules
    registry: Registry
    sealer: Sealer
    app_windows: Windows
    push: PushOffer

    @property
    def region(self) -> Region | None:
        """What is in use now; it may change between two requests."""
        return self.regions.now()

    @cached_property
    def board(self) -> Feed[News]:
        return Feed(partial(live.follow, self.database))

    @cached_property
    def hints(self) -> Feed[Message]:
        return Feed(partial(notify.deliver_to_lines, self.database))


def services_of(request: Request) -> Services:
    return cast("Services", request.app.state.services)


async def _services(request: Request) -> Services:
    # A dependency that is a plain function would be sent to a thread and back, with every request.
    return services_of(request)


type ServicesOf = Annotated[Services, Depends(_services)]
