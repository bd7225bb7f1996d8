"""An organisation with people in it."""

from dataclasses import dataclass, field
from uuid import UUID

from server.core.db import Database
from server.identity import service
from server.identity.domain import Actor, Audience, Role, permissions_of

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Company:
    id: UUID
    slug: str
    people: dict[str, Actor] = field(default_factory=dict)

    def actor(self, role: str) -> Actor:
        return self.people[role]


async def found_company(database: Database, slug: str = "acme", *, roles: tuple[str, ...] = tuple(Role)) -> Company:
    async with database.unit_of_work() as uow:
        organisation = await service.found_organisation(
            uow, name=f"{slug.title()} Service", slug=slug, language="en", timezone="Europe/Paris"
        )
        company = Company(organisation.id, slug)
        for role in roles:
            person = await service.hire(
                uow, email=f"{role}@{slug}.example", name=role.replace("_", " ").title(), roles=[role]
            )
            company.people[str(role)] = Actor(
                organisation.id, person.id, person.name, permissions_of([role]), Audience.WEB, "en"
            )
    return company


async def token_for(services, company: Company, role: str, audience: Audience = Audience.WEB) -> str:
    """Open a session for the person in this role and answer its access token."""
    async with services.database.unit_of_work(company.id) as uow:
        signed_in = await service.open_session(
            uow,
            services.tokens,
            person=company.actor(role).person,
            device=None,
            audience=audience,
            now=services.wall_clock.now(),
        )
    return signed_in.access_token
