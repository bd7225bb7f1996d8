"""Engineers with skills and shifts."""

from datetime import timedelta

from server.core.db import UnitOfWork
from server.geo.domain import Point
from server.identity import service as identity
from server.identity.domain import Actor, Audience, permissions_of
from server.workforce import service
from server.workforce.domain import Engineer, Hours, Shift, SkillLevel

HOME = Point(7.4167, 43.7333)


async def an_engineer(uow: UnitOfWork, actor: Actor, *, home: Point = HOME, **skills: int) -> Engineer:
    """Give the person an engineer's profile; skills that nobody defined yet are defined."""
    known = {skill.key for skill in await service.skills(uow)}
    for key in skills.keys() - known:
        await service.add_skill(uow, key=key, name={"en": key.title(), "zh": key})
    return await service.set_engineer(
        uow,
        person=actor.person,
        home=home,
        daily_capacity_minutes=480,
        skills=[SkillLevel(key, level) for key, level in skills.items()],
    )


async def another_engineer(uow: UnitOfWork, org, name: str = "Bruno", role: str = "engineer") -> Actor:
    person = await identity.hire(uow, email=f"{name.lower()}@field.example", name=name, roles=[role])
    actor = Actor(org, person.id, name, permissions_of([role]), Audience.MOBILE, "en")
    await an_engineer(uow, actor)
    return actor


async def a_shift(uow: UnitOfWork, actor: Actor, hours: int = 8) -> Shift:
    return await service.add_shift(uow, person=actor.person, hours=Hours(uow.now(), uow.now() + timedelta(hours=hours)))
