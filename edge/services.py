"""What the composition root hands to the routes."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from procrastinate import App as JobApp

from server.core.clock import Clock
from server.core.db import Database
from server.geo.region import Region
from server.geo.travel import Travel
from server.identity.tokens import Tokens
from server.media.store import BlobStore
from server.sync.registry import Registry


@dataclass(frozen=True)
class Services:
    database: Database
    jobs: JobApp
    tokens: Tokens
    wall_clock: Clock  # tokens expire in real time even where business time is played faster
    travel: Travel
    region: Region | None
    blobs: BlobStore
    registry: Registry


def services_of(request: Request) -> Services:
    return cast("Services", request.app.state.services)


type ServicesOf = Annotated[Services, Depends(services_of)]
