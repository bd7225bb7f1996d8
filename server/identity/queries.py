"""Every statement of identity."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from server.core.db import Row, UnitOfWork


@dataclass(frozen=True)
class Person:
    id: UUID
    email: str
    name: str
    phone: str | None
    language: str
    roles: list[str]
    active: bool
    created_at: datetime


@dataclass(frozen=True)
class Organisation:
    id: UUID
    name: str
    slug: str
    language: str
    timezone: str


@dataclass(frozen=True)
class ApiKey:
    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


_PERSON = "id, email, name, phone, language, roles, active, created_at"


async def organisations_with_email(uow: UnitOfWork, email: str) -> list[UUID]:
    found = await uow.rows("select organisations_with_email(%(email)s) as id", email=email)
    return [row["id"] for row in found]


async def organisation_of_slug(uow: UnitOfWork, slug: str) -> UUID | None:
    found: UUID | None = await uow.value("select organisation_of_slug(%(slug)s)", slug=slug)
    return found


async def organisation(uow: UnitOfWork) -> Organisation:
    found = await uow.one_of(Organisation, "select id, name, slug, language, timezone from organisation")
    assert found is not None, "a unit of work inside an organisation can always see it"
    return found


async def insert_organisation(uow: UnitOfWork, it: Organisation) -> None:
    await uow.run(
        """
        insert into organisation (id, name, slug, language, timezone, created_at)
        values (%(id)s, %(name)s, %(slug)s, %(language)s, %(timezone)s, %(now)s)
        """,
        id=it.id,
        name=it.name,
        slug=it.slug,
        language=it.language,
        timezone=it.timezone,
        now=uow.now(),
    )


async def login_facts(uow: UnitOfWork, email: str) -> Row | None:
    """Answer id and password_hash of the active person with this address."""
    return await uow.row("select id, password_hash from person where email = lower(%(email)s) and active", email=email)


async def person(uow: UnitOfWork, person_id: UUID) -> Person | None:
    return await uow.one_of(Person, f"select {_PERSON} from person where id = %(id)s", id=person_id)


async def people_after(uow: UnitOfWork, *, name: str, person_id: str, limit: int) -> list[Person]:
    """Answer people by name behind the key (name, id)."""
    return await uow.all_of(
        Person,
        f"""
        select {_PERSON} from person
        where (name, id) > (%(name)s, %(id)s::uuid)
        order by name, id limit %(limit)s
        """,
        name=name,
        id=person_id,
        limit=limit,
    )


async def insert_person(uow: UnitOfWork, it: Person, password_hash: str | None) -> bool:
    """Answer whether it was new: false when the address is taken."""
    return bool(
        await uow.run(
            """
            insert into person (org_id, id, email, name, phone, language, roles, password_hash, active, created_at)
            values (%(org)s, %(id)s, %(email)s, %(name)s, %(phone)s, %(language)s, %(roles)s, %(hash)s, true, %(now)s)
            on conflict (org_id, email) do nothing
            """,
            org=uow.org,
            id=it.id,
            email=it.email,
            name=it.name,
            phone=it.phone,
            language=it.language,
            roles=it.roles,
            hash=password_hash,
            now=it.created_at,
        )
    )


async def deactivate(uow: UnitOfWork, person_id: UUID) -> bool:
    return bool(await uow.run("update person set active = false where id = %(id)s", id=person_id))


async def actor_facts(uow: UnitOfWork, person_id: UUID, session_id: UUID | None, device_id: UUID | None) -> Row | None:
    """Answer in one statement what decides whether this person may act now on this session and device."""
    return await uow.row(
        """
        select p.name, p.language, p.roles, p.active,
               s.id is not null and s.revoked_at is null as session_open,
               d.revoked_at is not null as device_revoked
        from person p
        left join session s on s.id = %(session)s and s.person_id = p.id and s.device_id is not distinct from %(device)s
        left join device d on d.id = %(device)s
        where p.id = %(person)s
        """,
        person=person_id,
        session=session_id,
        device=device_id,
    )


async def use_api_key(uow: UnitOfWork, key_hash: str) -> Row | None:
    """Answer the key's creator and scopes and note the use, at most once a minute."""
    return await uow.row(
        """
        with found as (
            select k.id, k.scopes, k.name, p.id as person_id, p.roles, p.language, p.active
            from api_key k join person p on p.id = k.created_by
            where k.key_hash = %(hash)s and k.revoked_at is null
        ), noted as (
            update api_key k set last_used_at = %(now)s from found
            where k.id = found.id
              and (k.last_used_at is null or k.last_used_at < %(now)s::timestamptz - interval '1 minute')
        )
        select * from found
        """,
        hash=key_hash,
        now=uow.now(),
    )


async def insert_session(uow: UnitOfWork, *, session: UUID, person: UUID, device: UUID | None, audience: str) -> None:
    await uow.run(
        """
        insert into session (org_id, id, person_id, device_id, audience, created_at)
        values (%(org)s, %(id)s, %(person)s, %(device)s, %(audience)s, %(now)s)
        """,
        org=uow.org,
        id=session,
        person=person,
        device=device,
        audience=audience,
        now=uow.now(),
    )


async def insert_refresh_token(
    uow: UnitOfWork, *, session: UUID, token_hash: str, parent: UUID | None, issued_at: datetime, expires_at: datetime
) -> None:
    await uow.run(
        """
        insert into refresh_token (org_id, id, session_id, token_hash, parent_id, issued_at, expires_at)
        values (%(org)s, %(id)s, %(session)s, %(hash)s, %(parent)s, %(issued)s, %(expires)s)
        """,
        org=uow.org,
        id=uow.new_id(),
        session=session,
        hash=token_hash,
        parent=parent,
        issued=issued_at,
        expires=expires_at,
    )


async def lock_refresh_token(uow: UnitOfWork, token_hash: str) -> Row | None:
    """Answer the token with its session, locking the session: refreshes of one family happen one after another."""
    return await uow.row(
        """
        select t.id, t.session_id, t.parent_id, t.expires_at, t.spent_at, s.person_id, s.device_id, s.audience,
               s.revoked_at
        from session s join refresh_token t on t.session_id = s.id
        where t.token_hash = %(hash)s
        for update of s
        """,
        hash=token_hash,
    )


async def lock_newest_refresh_token(uow: UnitOfWork, session: UUID) -> Row | None:
    """Answer the youngest token of a session, locking the session."""
    return await uow.row(
        """
        select t.id, t.issued_at
        from session s join refresh_token t on t.session_id = s.id
        where s.id = %(session)s
        order by t.issued_at desc limit 1
        for update of s
        """,
        session=session,
    )


async def spend_refresh_token(uow: UnitOfWork, token_id: UUID, now: datetime) -> None:
    await uow.run(
        "update refresh_token set spent_at = %(now)s where id = %(id)s and spent_at is null", id=token_id, now=now
    )


async def revoke_session(uow: UnitOfWork, session_id: UUID, why: str) -> None:
    await uow.run(
        "update session set revoked_at = %(now)s, revoked_why = %(why)s where id = %(id)s and revoked_at is null",
        id=session_id,
        why=why,
        now=uow.now(),
    )


async def revoke_sessions_of_device(uow: UnitOfWork, device_id: UUID, why: str) -> None:
    await uow.run(
        """
        update session set revoked_at = %(now)s, revoked_why = %(why)s
        where device_id = %(device)s and revoked_at is null
        """,
        device=device_id,
        why=why,
        now=uow.now(),
    )


async def insert_enrolment_code(
    uow: UnitOfWork, *, code_hash: str, person: UUID, created_by: UUID, expires_at: datetime
) -> None:
    await uow.run(
        """
        insert into enrolment_code (org_id, id, code_hash, person_id, created_by, created_at, expires_at)
        values (%(org)s, %(id)s, %(hash)s, %(person)s, %(by)s, %(now)s, %(expires)s)
        """,
        org=uow.org,
        id=uow.new_id(),
        hash=code_hash,
        person=person,
        by=created_by,
        now=uow.now(),
        expires=expires_at,
    )


async def organisation_of_enrolment(uow: UnitOfWork, code_hash: str) -> UUID | None:
    found: UUID | None = await uow.value("select organisation_of_enrolment(%(hash)s)", hash=code_hash)
    return found


async def use_enrolment_code(uow: UnitOfWork, code_hash: str) -> Row | None:
    """Consume a code once; answer its person when it was valid."""
    return await uow.row(
        """
        update enrolment_code set used_at = %(now)s
        where code_hash = %(hash)s and used_at is null and expires_at > %(now)s
        returning id, person_id
        """,
        hash=code_hash,
        now=uow.now(),
    )


async def enrolled_before(uow: UnitOfWork, code_hash: str, public_key: str, since: datetime) -> Row | None:
    """Answer the device that the holder of this key enrolled with the code since `since`."""
    return await uow.row(
        """
        select d.id, d.person_id from enrolment_code e join device d on d.id = e.device_id
        where e.code_hash = %(hash)s and e.used_at >= %(since)s and d.public_key = %(key)s and d.revoked_at is null
        """,
        hash=code_hash,
        since=since,
        key=public_key,
    )


async def link_enrolment(uow: UnitOfWork, enrolment_id: UUID, device_id: UUID) -> None:
    await uow.run("update enrolment_code set device_id = %(d)s where id = %(id)s", id=enrolment_id, d=device_id)


async def insert_device(
    uow: UnitOfWork,
    *,
    device: UUID,
    person: UUID,
    name: str,
    platform: str,
    app_version: str,
    public_key: str | None,
    storage_persisted: bool,
) -> None:
    await uow.run(
        """
        insert into device (org_id, id, person_id, name, platform, app_version, public_key, storage_persisted,
                            enrolled_at, last_contact_at)
        values (%(org)s, %(id)s, %(person)s, %(name)s, %(platform)s, %(version)s, %(key)s, %(persisted)s,
                %(now)s, %(now)s)
        """,
        org=uow.org,
        id=device,
        person=person,
        name=name,
        platform=platform,
        version=app_version,
        key=public_key,
        persisted=storage_persisted,
        now=uow.now(),
    )


async def revoke_device(uow: UnitOfWork, device_id: UUID, why: str) -> bool | None:
    """Answer whether it was in use until now; None when there is no such device."""
    return cast(
        "bool | None",
        await uow.value(
            """
            with before as (select id, revoked_at from device where id = %(id)s for update)
            update device d
            set revoked_at = coalesce(b.revoked_at, %(now)s), revoked_why = coalesce(d.revoked_why, %(why)s)
            from before b where d.id = b.id returning b.revoked_at is null
            """,
            id=device_id,
            why=why,
            now=uow.now(),
        ),
    )


async def device_standing(uow: UnitOfWork, device_id: UUID, person_id: UUID) -> Row | None:
    """Answer whether this person's device is revoked and the person active."""
    return await uow.row(
        """
        select p.active, d.revoked_at is not null as revoked
        from device d join person p on p.id = d.person_id where d.id = %(device)s and d.person_id = %(person)s
        """,
        device=device_id,
        person=person_id,
    )


_KEY = "id, name, prefix, scopes, created_at, last_used_at, revoked_at"


async def insert_api_key(uow: UnitOfWork, it: ApiKey, *, key_hash: str, created_by: UUID) -> None:
    await uow.run(
        """
        insert into api_key (org_id, id, name, prefix, key_hash, scopes, created_by, created_at)
        values (%(org)s, %(id)s, %(name)s, %(prefix)s, %(hash)s, %(scopes)s, %(by)s, %(now)s)
        """,
        org=uow.org,
        id=it.id,
        name=it.name,
        prefix=it.prefix,
        hash=key_hash,
        scopes=it.scopes,
        by=created_by,
        now=it.created_at,
    )


async def api_keys(uow: UnitOfWork) -> list[ApiKey]:
    return await uow.all_of(ApiKey, f"select {_KEY} from api_key order by created_at desc, id limit 1000")


async def revoke_api_key(uow: UnitOfWork, key_id: UUID) -> bool:
    return bool(
        await uow.run(
            "update api_key set revoked_at = coalesce(revoked_at, %(now)s) where id = %(id)s",
            id=key_id,
            now=uow.now(),
        )
    )
