"""Where devices are reached while their app is closed: one place each, the newest registration's."""

import hashlib
import re
from dataclasses import dataclass
from uuid import UUID

from server.core.db import UnitOfWork
from server.core.errors import NotFound
from server.identity.domain import Actor
from server.notify import endpoint_queries, queries
from server.notify.domain import PushEndpoint, PushKind
from server.notify.errors import PushAddressRefused, PushKeysRefused, PushNotOffered
from server.notify.push_hosts import PushHosts
from server.notify.vapid import are_keys

# Registration tokens and installation ids, as Firebase's libraries make them.
_FCM_ADDRESS = re.compile(r"[A-Za-z0-9_:-]{20,1000}")


@dataclass(frozen=True)
class PushOffer:
    """What this server can push over. `vapid_public_key` is what browsers subscribe with; without it they can't."""

    fcm: bool
    vapid_public_key: str | None
    hosts: PushHosts

    @property
    def kinds(self) -> list[PushKind]:
        offered = {PushKind.FCM: self.fcm, PushKind.WEBPUSH: self.vapid_public_key is not None}
        return [kind for kind, there in offered.items() if there]


@dataclass(frozen=True)
class Registration:
    kind: PushKind
    address: str
    p256dh: str | None = None
    auth: str | None = None


async def register(uow: UnitOfWork, actor: Actor, offer: PushOffer, said: Registration) -> PushEndpoint:
    """Have the actor's device reached there from now on, and what waits for its person tried there at once.

    Whatever device had this address loses it. Raises PushNotOffered, PushAddressRefused, PushKeysRefused.
    """
    device = _device_of(actor)
    if said.kind not in offer.kinds:
        raise PushNotOffered(push_kind=said.kind)
    match said.kind:
        case PushKind.FCM:
            _check_fcm(said)
        case PushKind.WEBPUSH:
            _check_webpush(offer, said)
    address_hash = hashlib.sha256(said.address.encode()).hexdigest()
    await endpoint_queries.release_address(uow, address_hash, device)
    endpoint = PushEndpoint(uow.new_id(), device, actor.person, said.kind, said.address, said.p256dh, said.auth)
    await endpoint_queries.put_endpoint(uow, endpoint, address_hash)
    await queries.wake(uow, actor.person)
    return endpoint


async def unregister(uow: UnitOfWork, actor: Actor) -> None:
    """Push nothing to the actor's device any more. A second time changes nothing."""
    await endpoint_queries.forget_device(uow, _device_of(actor))


async def registered(uow: UnitOfWork, actor: Actor) -> PushEndpoint | None:
    return await endpoint_queries.endpoint_of(uow, _device_of(actor))


def _device_of(actor: Actor) -> UUID:
    if actor.device is None:
        raise NotFound(thing="device")
    return actor.device


def _check_fcm(said: Registration) -> None:
    if not _FCM_ADDRESS.fullmatch(said.address):
        raise PushAddressRefused
    if said.p256dh is not None or said.auth is not None:
        raise PushKeysRefused


def _check_webpush(offer: PushOffer, said: Registration) -> None:
    if offer.hosts.service_of(said.address) is None:
        raise PushAddressRefused
    if said.p256dh is None or said.auth is None or not are_keys(said.p256dh, said.auth):
        raise PushKeysRefused
