"""People, roles, enrolment and API keys."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import Field, StringConstraints

from edge.auth import Work, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from server.core.errors import MalformedCursor
from server.core.paging import MAX_PAGE, decode_cursor, page_of
from server.core.wire import Id, Line, Name, PlaceIn, PlaceOut, WireIn, WireOut
from server.geo.domain import Point
from server.identity import queries, service
from server.identity.domain import PERMISSIONS_OF, Permission, Role
from server.workforce import service as workforce
from server.workforce.domain import Engineer, SkillLevel

router = APIRouter(prefix="/api/v1", tags=["admin"], responses=PROBLEMS)

type Email = Annotated[str, StringConstraints(max_length=320, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class SkillLevelIn(WireIn):
    key: Name
    level: Annotated[int, Field(ge=1, le=5)]


class EngineerIn(WireIn):
    home: PlaceIn
    daily_capacity_minutes: Annotated[int, Field(ge=1, le=1440)] = 480
    pace_percent: Annotated[int, Field(ge=25, le=400, description="of a job's usual minutes")] = 100
    territory_id: Id | None = None
    skills: Annotated[list[SkillLevelIn], Field(max_length=200)] = []


class NewPerson(WireIn):
    email: Email
    name: Name
    phone: Line | None = None
    language: Literal["en", "zh"] = "en"
    roles: Annotated[list[Role], Field(min_length=1, max_length=len(Role))]
    password: Annotated[str, StringConstraints(max_length=200)] | None = None
    engineer: EngineerIn | None = None


class SkillLevelOut(WireOut):
    key: str
    level: int


class EngineerOut(WireOut):
    home: PlaceOut
    daily_capacity_minutes: int
    pace_percent: int
    territory_id: UUID | None
    skills: list[SkillLevelOut]


class PersonOut(WireOut):
    id: UUID
    email: str
    name: str
    phone: str | None
    language: str
    roles: list[str]
    active: bool
    engineer: EngineerOut | None


class PeopleOut(WireOut):
    items: list[PersonOut]
    next_cursor: str | None


class EnrolmentCodeOut(WireOut):
    code: str
    expires_at: datetime


class NewApiKey(WireIn):
    name: Name
    scopes: Annotated[list[Permission], Field(min_length=1, max_length=len(Permission))]


class ApiKeyOut(WireOut):
    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewApiKeyOut(ApiKeyOut):
    key: Annotated[str, Field(description="the secret; shown this once")]


class ApiKeysOut(WireOut):
    items: list[ApiKeyOut]


class RoleOut(WireOut):
    role: str
    permissions: list[str]


class RolesOut(WireOut):
    items: list[RoleOut]


def _person_out(person: queries.Person, engineer: Engineer | None) -> PersonOut:
    return PersonOut(
        **{name: getattr(person, name) for name in ("id", "email", "name", "phone", "language", "roles", "active")},
        engineer=EngineerOut.model_validate(engineer) if engineer else None,
    )


@router.get("/people")
async def list_people(
    work: Annotated[Work, permitted(Permission.PEOPLE_READ)],
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> PeopleOut:
    name, person_id = decode_cursor(cursor, 2) or ("", str(UUID(int=0)))
    rows = await queries.people_after(work.uow, name=name, person_id=_uuid(person_id), limit=limit + 1)
    page = page_of(rows, limit, lambda person: (person.name, person.id))
    engineers = await workforce.engineers(work.uow, [person.id for person in page.items])
    return PeopleOut(
        items=[_person_out(person, engineers.get(person.id)) for person in page.items], next_cursor=page.next_cursor
    )


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise MalformedCursor from None


@router.post("/people", status_code=status.HTTP_201_CREATED)
async def add_person(
    work: Annotated[Work, permitted(Permission.PEOPLE_MANAGE)], body: NewPerson, key: IdempotencyHeader = None
) -> PersonOut:
    async def act() -> PersonOut:
        person = await service.hire(
            work.uow,
            email=body.email,
            name=body.name,
            roles=body.roles,
            language=body.language,
            phone=body.phone,
            password=body.password,
        )
        return _person_out(person, await _set_engineer(work, person.id, body.engineer) if body.engineer else None)

    return await once(work, key, body, PersonOut, act)


async def _set_engineer(work: Work, person: UUID, it: EngineerIn) -> Engineer:
    return await workforce.set_engineer(
        work.uow,
        person=person,
        home=Point(it.home.lon, it.home.lat),
        daily_capacity_minutes=it.daily_capacity_minutes,
        pace_percent=it.pace_percent,
        territory_id=it.territory_id,
        skills=[SkillLevel(skill.key, skill.level) for skill in it.skills],
    )


@router.put("/people/{person_id}/engineer")
async def set_engineer(
    work: Annotated[Work, permitted(Permission.PEOPLE_MANAGE)], person_id: Id, body: EngineerIn
) -> PersonOut:
    """Give a person the working side of an engineer, or replace it whole."""
    person = await service.person(work.uow, person_id)
    return _person_out(person, await _set_engineer(work, person_id, body))


@router.get("/people/{person_id}")
async def get_person(work: Annotated[Work, permitted(Permission.PEOPLE_READ)], person_id: Id) -> PersonOut:
    person = await service.person(work.uow, person_id)
    return _person_out(person, (await workforce.engineers(work.uow, [person_id])).get(person_id))


@router.post("/people/{person_id}/deactivate", status_code=status.HTTP_204_NO_CONTENT)
async def deactivate_person(work: Annotated[Work, permitted(Permission.PEOPLE_MANAGE)], person_id: Id) -> None:
    await service.dismiss(work.uow, work.actor, person_id)


@router.post("/people/{person_id}/enrolment-codes", status_code=status.HTTP_201_CREATED)
async def issue_enrolment_code(
    work: Annotated[Work, permitted(Permission.DEVICES_MANAGE)], person_id: Id
) -> EnrolmentCodeOut:
    code, expires_at = await service.issue_enrolment_code(work.uow, work.actor, person_id)
    return EnrolmentCodeOut(code=code, expires_at=expires_at)


@router.get("/api-keys")
async def list_api_keys(work: Annotated[Work, permitted(Permission.SETTINGS_MANAGE)]) -> ApiKeysOut:
    return ApiKeysOut(items=[ApiKeyOut.model_validate(key) for key in await queries.api_keys(work.uow)])


@router.post("/api-keys", status_code=status.HTTP_201_CREATED)
async def make_api_key(work: Annotated[Work, permitted(Permission.SETTINGS_MANAGE)], body: NewApiKey) -> NewApiKeyOut:
    # Not repeatable under an Idempotency-Key on purpose: that would store the secret.
    made, secret = await service.make_api_key(work.uow, work.actor, name=body.name, scopes=body.scopes)
    return NewApiKeyOut(**ApiKeyOut.model_validate(made).model_dump(), key=secret)


@router.delete("/api-keys/{key_id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_api_key(work: Annotated[Work, permitted(Permission.SETTINGS_MANAGE)], key_id: Id) -> None:
    await service.revoke_api_key(work.uow, work.actor, key_id)


@router.get("/roles")
async def list_roles(_work: Annotated[Work, permitted(Permission.PEOPLE_READ)]) -> RolesOut:
    return RolesOut(items=[RoleOut(role=role, permissions=sorted(granted)) for role, granted in PERMISSIONS_OF.items()])
