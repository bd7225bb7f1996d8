"""Signing in and out of the web surfaces."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import Field, StringConstraints

from edge.auth import Work, anyone_signed_in
from edge.limits import AddressOf
from edge.problems import PROBLEMS
from edge.services import ServicesOf
from server.core.limits import attempt
from server.core.wire import WireIn, WireOut
from server.identity import queries, service, throttle
from server.identity.domain import Audience, permissions_of

router = APIRouter(prefix="/api/v1", tags=["auth"], responses=PROBLEMS)


class Login(WireIn):
    email: Annotated[str, StringConstraints(max_length=320, strip_whitespace=True)]
    password: Annotated[str, StringConstraints(max_length=200)]
    organisation: Annotated[str, StringConstraints(max_length=100)] | None = None


class RefreshToken(WireIn):
    refresh_token: Annotated[str, StringConstraints(max_length=200)]


class SignedInPerson(WireOut):
    id: UUID
    name: str
    language: str
    roles: list[str]
    permissions: list[str]


class OrganisationOut(WireOut):
    id: UUID
    name: str
    slug: str
    timezone: str
    language: str


class SessionOut(WireOut):
    access_token: str
    expires_in: Annotated[int, Field(description="seconds")]
    refresh_token: str
    person: SignedInPerson
    organisation: OrganisationOut


class Me(WireOut):
    person: SignedInPerson
    organisation: OrganisationOut


def _person_out(person: queries.Person) -> SignedInPerson:
    return SignedInPerson(
        id=person.id,
        name=person.name,
        language=person.language,
        roles=person.roles,
        permissions=sorted(permissions_of(person.roles)),
    )


def _session_out(signed_in: service.SignedIn) -> SessionOut:
    return SessionOut(
        access_token=signed_in.access_token,
        expires_in=signed_in.expires_in,
        refresh_token=signed_in.refresh_token,
        person=_person_out(signed_in.person),
        organisation=OrganisationOut.model_validate(signed_in.organisation),
    )


@router.post("/auth/login")
async def login(body: Login, services: ServicesOf, address: AddressOf) -> SessionOut:
    """Open a session. Wrong passwords are counted per e-mail address and place they come from."""
    now = services.wall_clock.now()
    async with attempt(services.database, f"login:{body.email.casefold()}|{address}", throttle.LOGIN, now):
        signed_in = await service.sign_in(
            services.database,
            services.tokens,
            email=body.email,
            password=body.password,
            organisation=body.organisation,
            now=now,
        )
    return _session_out(signed_in)


@router.post("/auth/refresh")
async def refresh(body: RefreshToken, services: ServicesOf, address: AddressOf) -> SessionOut:
    now = services.wall_clock.now()
    async with attempt(services.database, f"refresh:{address}", throttle.REFRESH, now):
        signed_in = await service.refresh(
            services.database, services.tokens, token=body.refresh_token, audience=Audience.WEB, now=now
        )
    return _session_out(signed_in)


@router.post("/auth/logout", status_code=status.HTTP_204_NO_CONTENT)
async def logout(body: RefreshToken, services: ServicesOf) -> None:
    await service.sign_out(services.database, token=body.refresh_token)


@router.get("/me")
async def me(work: Annotated[Work, anyone_signed_in()]) -> Me:
    person = await service.person(work.uow, work.actor.person)
    organisation = await queries.organisation(work.uow)
    return Me(person=_person_out(person), organisation=OrganisationOut.model_validate(organisation))
