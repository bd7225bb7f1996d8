"""Signing in, refreshing, enrolling devices, managing people and keys."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from server.core import events
from server.core.db import Database, Row, UnitOfWork
from server.core.errors import NotFound
from server.identity import passwords, queries
from server.identity.domain import Actor, Audience, Permission, Rescuer, RevokeReason, Standing, permissions_of
from server.identity.errors import (
    DeviceRevoked,
    EmailTaken,
    EnrolmentCodeRefused,
    NotSignedIn,
    SessionEnded,
    SeveralOrganisations,
    UserDisabled,
    WrongCredentials,
)
from server.identity.queries import ApiKey, Organisation, Person
from server.identity.tokens import (
    ACCESS_LIFETIME,
    API_KEY_PREFIX,
    REFRESH_LIFETIME,
    Credential,
    Tokens,
    hash_of,
    opaque,
    organisation_in,
)

ENROLMENT_LIFETIME = timedelta(days=2)
ENROLMENT_REPEATABLE = timedelta(minutes=10)
# Letters and digits that can't be mistaken for one another when read out.
_CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_CODE_LENGTH = 10


@dataclass(frozen=True)
class SignedIn:
    """A fresh pair of tokens."""

    person: Person
    organisation: Organisation
    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True)
class DeviceInfo:
    """What a phone says about itself when it enrols."""

    name: str
    platform: str
    app_version: str
    public_key: str | None
    storage_persisted: bool


async def actor_of(uow: UnitOfWork, credential: Credential) -> Actor:
    """Answer who acts, as the database knows them now: disabling and revoking act on the very next request.

    Raises NotSignedIn, SessionEnded, UserDisabled, DeviceRevoked.
    """
    if credential.api_key_hash is not None:
        return await _actor_of_key(uow, credential.org, credential.api_key_hash)
    assert credential.person is not None
    facts = await queries.actor_facts(uow, credential.person, credential.session, credential.device)
    if facts is None:
        raise NotSignedIn
    if facts["device_revoked"]:
        # Before the person: a stolen phone is wiped also when its owner has left.
        raise DeviceRevoked(wipe=True)
    if not facts["active"]:
        raise UserDisabled
    if not facts["session_open"]:
        raise SessionEnded
    return Actor(
        org=credential.org,
        person=credential.person,
        name=facts["name"],
        permissions=permissions_of(facts["roles"]),
        audience=credential.audience,
        language=facts["language"],
        session=credential.session,
        device=credential.device,
    )


async def _actor_of_key(uow: UnitOfWork, org: UUID, key_hash: str) -> Actor:
    facts = await queries.use_api_key(uow, key_hash)
    if facts is None:
        raise NotSignedIn
    if not facts["active"]:
        raise UserDisabled
    # A key never outgrows its maker: what they lose, it loses.
    granted = permissions_of(facts["roles"]) & {Permission(scope) for scope in facts["scopes"]}
    return Actor(org, facts["person_id"], facts["name"], granted, Audience.INTEGRATION, facts["language"])


async def sign_in(
    database: Database, tokens: Tokens, *, email: str, password: str, organisation: str | None, now: datetime
) -> SignedIn:
    """Check the password in every organisation that knows the address and open a session in the one that fits.

    Raises WrongCredentials, SeveralOrganisations.
    """
    async with database.unit_of_work() as uow:
        orgs = await queries.organisations_with_email(uow, email)
    matches: list[tuple[Organisation, UUID]] = []
    for org in orgs:
        async with database.unit_of_work(org) as uow:
            facts = await queries.login_facts(uow, email)
            known = await queries.organisation(uow)
        right = await passwords.verify(password, facts["password_hash"] if facts else None)
        if right and facts and organisation in {None, known.slug}:
            matches.append((known, facts["id"]))
    if not orgs:
        await passwords.verify(password, None)
    if not matches:
        raise WrongCredentials
    if len(matches) > 1:
        raise SeveralOrganisations(organisations=[known.slug for known, _ in matches])
    known, person_id = matches[0]
    async with database.unit_of_work(known.id) as uow:
        return await open_session(uow, tokens, person=person_id, device=None, audience=Audience.WEB, now=now)


async def open_session(
    uow: UnitOfWork, tokens: Tokens, *, person: UUID, device: UUID | None, audience: Audience, now: datetime
) -> SignedIn:
    session = uow.new_id()
    await queries.insert_session(uow, session=session, person=person, device=device, audience=audience)
    return await _token_pair(uow, tokens, session, person, device, audience, parent=None, now=now)


async def refresh(database: Database, tokens: Tokens, *, token: str, audience: Audience, now: datetime) -> SignedIn:
    """Exchange a refresh token for a new pair.

    The presented token stays valid until one of its successors is presented: whoever lost our answer simply asks
    again. A token whose successor was already used can only be a copy, so its whole family ends.
    Raises NotSignedIn, SessionEnded, UserDisabled, DeviceRevoked.
    """
    org = organisation_in(token)
    async with database.unit_of_work(org) as uow:
        known = await queries.lock_refresh_token(uow, hash_of(token)) or await _recalled(uow, tokens, token)
        if known is None or known["audience"] != audience:
            raise NotSignedIn
        if known["spent_at"] is None:
            await actor_of(uow, Credential(org, audience, known["person_id"], known["session_id"], known["device_id"]))
            if known["expires_at"] <= now:
                raise SessionEnded
            if known["parent_id"] is not None:
                await queries.spend_refresh_token(uow, known["parent_id"], now)
            return await _token_pair(
                uow,
                tokens,
                known["session_id"],
                known["person_id"],
                known["device_id"],
                audience,
                parent=known["id"],
                now=now,
            )
        await queries.revoke_session(uow, known["session_id"], "a spent refresh token was presented again")
    raise SessionEnded


async def _recalled(uow: UnitOfWork, tokens: Tokens, token: str) -> Row | None:
    """Take back a token that we issued and no longer know: the database was restored to a time before.

    It bears our seal and is younger than all that is known of its session, which a token that was ever on record here
    can't be. Without this a restore would sign every phone out, with work on it that the server has lost.
    """
    claim = tokens.read_refresh_token(token)
    if claim is None:
        return None
    newest = await queries.lock_newest_refresh_token(uow, claim.session)
    if newest is None or claim.issued_at <= newest["issued_at"]:
        return None
    await queries.insert_refresh_token(
        uow,
        session=claim.session,
        token_hash=hash_of(token),
        parent=newest["id"],
        issued_at=claim.issued_at,
        expires_at=claim.issued_at + REFRESH_LIFETIME,
    )
    return await queries.lock_refresh_token(uow, hash_of(token))


async def _token_pair(
    uow: UnitOfWork,
    tokens: Tokens,
    session: UUID,
    person_id: UUID,
    device: UUID | None,
    audience: Audience,
    *,
    parent: UUID | None,
    now: datetime,
) -> SignedIn:
    organisation = await queries.organisation(uow)
    token = tokens.refresh_token(org=organisation.id, session=session, now=now)
    await queries.insert_refresh_token(
        uow,
        session=session,
        token_hash=hash_of(token),
        parent=parent,
        issued_at=now,
        expires_at=now + REFRESH_LIFETIME,
    )
    access = tokens.issue(
        org=organisation.id, person=person_id, session=session, device=device, audience=audience, now=now
    )
    return SignedIn(await person(uow, person_id), organisation, access, token, int(ACCESS_LIFETIME.total_seconds()))


async def sign_out(database: Database, *, token: str) -> None:
    """End the session of a refresh token; unknown tokens are as good as signed out."""
    async with database.unit_of_work(organisation_in(token)) as uow:
        known = await queries.lock_refresh_token(uow, hash_of(token))
        if known is not None:
            await queries.revoke_session(uow, known["session_id"], "signed out")


async def person(uow: UnitOfWork, person_id: UUID) -> Person:
    found = await queries.person(uow, person_id)
    if found is None:
        raise NotFound(thing="person")
    return found


async def found_organisation(uow: UnitOfWork, *, name: str, slug: str, language: str, timezone: str) -> Organisation:
    """Create an organisation; the transaction then continues inside it."""
    it = Organisation(uow.new_id(), name, slug, language, timezone)
    await uow.enter(it.id)
    await queries.insert_organisation(uow, it)
    return it


async def hire(
    uow: UnitOfWork,
    *,
    email: str,
    name: str,
    roles: Sequence[str],
    language: str = "en",
    phone: str | None = None,
    password: str | None = None,
) -> Person:
    """Add a person. Without a password they can only use an enrolled device. Raises EmailTaken, PasswordTooWeak."""
    hashed = await passwords.hash_password(password) if password is not None else None
    it = Person(uow.new_id(), email.lower(), name, phone, language, sorted(set(roles)), True, uow.now())  # noqa: FBT003
    if not await queries.insert_person(uow, it, hashed):
        raise EmailTaken
    return it


async def dismiss(uow: UnitOfWork, actor: Actor, person_id: UUID) -> None:
    """Disable an account: every session and device of theirs is refused from now on; nothing of theirs is deleted."""
    if not await queries.deactivate(uow, person_id):
        raise NotFound(thing="person")
    await events.append(uow, "person.deactivated", subject=("person", person_id), actor=actor.person)


async def issue_enrolment_code(uow: UnitOfWork, actor: Actor, person_id: UUID) -> tuple[str, datetime]:
    """Answer a one-time code for a person's next device and when it expires. Only its hash is kept."""
    await person(uow, person_id)
    code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_LENGTH))
    expires_at = uow.now() + ENROLMENT_LIFETIME
    await queries.insert_enrolment_code(
        uow, code_hash=hash_of(code), person=person_id, created_by=actor.person, expires_at=expires_at
    )
    return f"{code[:4]}-{code[4:8]}-{code[8:]}", expires_at


async def enrol_device(
    database: Database, tokens: Tokens, *, code: str, info: DeviceInfo, now: datetime
) -> tuple[UUID, SignedIn]:
    """Exchange a one-time code for a device and its tokens.

    A phone that lost our answer may repeat the exchange for a few minutes, proving by its public key that it is the
    same one. Raises EnrolmentCodeRefused, UserDisabled.
    """
    code_hash = hash_of("".join(character for character in code.upper() if character in _CODE_ALPHABET))
    async with database.unit_of_work() as uow:
        org = await queries.organisation_of_enrolment(uow, code_hash)
        if org is None:
            raise EnrolmentCodeRefused
        await uow.enter(org)
        enrolment = await queries.use_enrolment_code(uow, code_hash)
        if enrolment is not None:
            person_id = enrolment["person_id"]
            device = await _new_device(uow, enrolment["id"], person_id, info)
        else:
            since = uow.now() - ENROLMENT_REPEATABLE
            known = info.public_key and await queries.enrolled_before(uow, code_hash, info.public_key, since)
            if not known:
                raise EnrolmentCodeRefused
            device, person_id = known["id"], known["person_id"]
        if not (await person(uow, person_id)).active:
            raise UserDisabled
        return device, await open_session(
            uow, tokens, person=person_id, device=device, audience=Audience.MOBILE, now=now
        )


async def _new_device(uow: UnitOfWork, enrolment: UUID, person_id: UUID, info: DeviceInfo) -> UUID:
    device = uow.new_id()
    await queries.insert_device(
        uow,
        device=device,
        person=person_id,
        name=info.name,
        platform=info.platform,
        app_version=info.app_version,
        public_key=info.public_key,
        storage_persisted=info.storage_persisted,
    )
    await queries.link_enrolment(uow, enrolment, device)
    await events.append(uow, "device.enrolled", subject=("device", device), actor=person_id)
    return device


async def revoke_device(
    uow: UnitOfWork, actor: Actor, device_id: UUID, why: RevokeReason, note: str | None = None
) -> None:
    """Cut a device off; what it holds unsent can later still be rescued. A second time changes nothing."""
    revoked = await queries.revoke_device(uow, device_id, why)
    if revoked is None:
        raise NotFound(thing="device")
    if revoked:
        await queries.revoke_sessions_of_device(uow, device_id, why)
        about = {"why": str(why), "note": note}
        await events.append(uow, "device.revoked", subject=("device", device_id), actor=actor.person, payload=about)


async def rescuer_of(uow: UnitOfWork, credential: Credential) -> Rescuer:
    """Answer which device hands something in by its own token, whatever became of device, person and session.

    Raises NotSignedIn for a token that is not of a device we know.
    """
    if credential.device is None or credential.person is None:
        raise NotSignedIn
    facts = await queries.device_standing(uow, credential.device, credential.person)
    if facts is None:
        raise NotSignedIn
    standing = Standing.of(active=facts["active"], revoked=facts["revoked"])
    return Rescuer(credential.org, credential.person, credential.device, standing)


async def make_api_key(uow: UnitOfWork, actor: Actor, *, name: str, scopes: Sequence[Permission]) -> tuple[ApiKey, str]:
    """Answer the key's record and its secret, which is shown this once."""
    secret = opaque(API_KEY_PREFIX, actor.org)
    it = ApiKey(uow.new_id(), name, secret[:12], sorted(set(scopes)), uow.now(), None, None)
    await queries.insert_api_key(uow, it, key_hash=hash_of(secret), created_by=actor.person)
    await events.append(uow, "api_key.made", subject=("api_key", it.id), actor=actor.person)
    return it, secret


async def revoke_api_key(uow: UnitOfWork, actor: Actor, key_id: UUID) -> None:
    if not await queries.revoke_api_key(uow, key_id):
        raise NotFound(thing="API key")
    await events.append(uow, "api_key.revoked", subject=("api_key", key_id), actor=actor.person)
