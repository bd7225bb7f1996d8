"""Who calls, and the transaction they act in.

A route states what it needs in its signature: `work: Annotated[Work, permitted(Permission.ORDERS_READ)]` or
`anyone_signed_in()`. The unit of work commits when the route function has returned and before the first byte of
the answer leaves, so a failing commit is answered with an error and never with 200.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from edge.services import services_of
from server.core.db import UnitOfWork
from server.core.errors import Problem
from server.identity import service as identity
from server.identity.access import require
from server.identity.domain import Actor, Audience, Permission, Rescuer
from server.identity.errors import NotSignedIn

bearer_token = HTTPBearer(auto_error=False, description="access token, or an API key on /api/v1")


@dataclass(frozen=True)
class Work:
    """One authenticated request: its transaction, its actor, and what it was sent to ("POST /api/v1/…")."""

    uow: UnitOfWork
    actor: Actor
    target: str


@dataclass(frozen=True)
class Permitted:
    """What a route demands of its caller: an audience, and a permission unless anyone signed in will do."""

    permission: Permission | None
    audiences: frozenset[Audience]

    @asynccontextmanager
    async def work(self, request: Request, bearer: HTTPAuthorizationCredentials | None) -> AsyncIterator[Work]:
        services = services_of(request)
        if bearer is None:
            raise NotSignedIn
        credential = services.tokens.read(bearer.credentials, self.audiences, services.wall_clock.now())
        async with services.database.unit_of_work(credential.org) as uow:
            actor = await identity.actor_of(uow, credential)
            if self.permission is not None:
                require(actor, self.permission)
            yield Work(uow, actor, f"{request.method} {request.url.path}")


class Working(Permitted):
    """Dependency: the unit of work, open for as long as the route function runs."""

    async def __call__(
        self, request: Request, bearer: HTTPAuthorizationCredentials | None = Depends(bearer_token)
    ) -> AsyncIterator[Work]:
        async with self.work(request, bearer) as work:
            yield work


class Identified(Permitted):
    """Dependency: only who calls, for routes that stream or open their own transactions."""

    async def __call__(
        self, request: Request, bearer: HTTPAuthorizationCredentials | None = Depends(bearer_token)
    ) -> Actor:
        async with self.work(request, bearer) as work:
            return work.actor


class Rescuing(Permitted):
    """Dependency: a device by its own token, be it expired, revoked or its person's account disabled.

    For the one door where things are only handed in.
    """

    async def __call__(
        self, request: Request, bearer: HTTPAuthorizationCredentials | None = Depends(bearer_token)
    ) -> Rescuer:
        services = services_of(request)
        if bearer is None:
            raise NotSignedIn
        credential = services.tokens.read_expired(bearer.credentials, self.audiences)
        async with services.database.unit_of_work(credential.org) as uow:
            return await identity.rescuer_of(uow, credential)


_BROWSERS = frozenset({Audience.WEB, Audience.INTEGRATION})
_PHONES = frozenset({Audience.MOBILE})


def permitted(permission: Permission) -> Any:
    """For web routes: browsers and API keys whose actor holds the permission."""
    return Depends(Working(permission, _BROWSERS), scope="function")


def anyone_signed_in() -> Any:
    """For web routes whose objects decide by themselves (doors) what the actor sees."""
    return Depends(Working(None, _BROWSERS), scope="function")


def enrolled_device() -> Any:
    """For phone routes: a person on a device that is not revoked."""
    return Depends(Working(None, _PHONES), scope="function")


def identified_device() -> Any:
    """For phone routes that open their own transactions: the actor alone."""
    return Depends(Identified(None, _PHONES))


def rescuing_device() -> Any:
    """For the phone's last door: a device that proves to be itself, whatever became of it."""
    return Depends(Rescuing(None, _PHONES))


def identified(permission: Permission) -> Any:
    """For web routes that stream: the actor alone, holding the permission."""
    return Depends(Identified(permission, _BROWSERS))


async def device_behind(request: Request) -> Actor | None:
    """Answer which device sent a request that was refused before anybody looked at its token; None for strangers."""
    try:
        async with Permitted(None, _PHONES).work(request, await bearer_token(request)) as work:
            return work.actor
    except Problem:
        return None
