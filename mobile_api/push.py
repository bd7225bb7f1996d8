"""Where the phone is reached while its app is closed."""

from typing import Annotated

from fastapi import APIRouter, status
from pydantic import Field, StringConstraints

from edge.auth import Work, enrolled_device
from edge.problems import PROBLEMS
from edge.services import ServicesOf
from server.core.wire import WireIn, WireOut
from server.notify import endpoints
from server.notify.domain import PushKind
from server.notify.endpoints import PushOffer, Registration

router = APIRouter(prefix="/mobile/v1", tags=["devices"], responses=PROBLEMS)

type Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,100}={0,2}$")]


class PushEndpointIn(WireIn):
    """A registration token of Firebase, or what a browser's `PushSubscription` says."""

    kind: PushKind
    address: Annotated[
        str,
        StringConstraints(min_length=1, max_length=1000),
        Field(description="fcm: the registration token or installation id; webpush: the subscription's endpoint"),
    ]
    p256dh: Annotated[Key | None, Field(description="webpush: the subscription's public key, base64url")] = None
    auth: Annotated[Key | None, Field(description="webpush: the subscription's secret, base64url")] = None


class PushEndpointOut(WireOut):
    """What the server can push over, and which of it this device is registered for; null when for none."""

    offered: list[PushKind]
    vapid_public_key: Annotated[str | None, Field(description="a browser subscribes with it as applicationServerKey")]
    registered: PushKind | None


type Device = Annotated[Work, enrolled_device()]


@router.get("/push-endpoint")
async def get_push_endpoint(work: Device, services: ServicesOf) -> PushEndpointOut:
    registered = await endpoints.registered(work.uow, work.actor)
    return _out(services.push, registered.kind if registered else None)


@router.put("/push-endpoint")
async def put_push_endpoint(body: PushEndpointIn, work: Device, services: ServicesOf) -> PushEndpointOut:
    """Be reached there from now on, instead of where it was before. To be told again whenever it may have changed."""
    said = Registration(body.kind, body.address, body.p256dh, body.auth)
    registered = await endpoints.register(work.uow, work.actor, services.push, said)
    return _out(services.push, registered.kind)


@router.delete("/push-endpoint", status_code=status.HTTP_204_NO_CONTENT)
async def delete_push_endpoint(work: Device) -> None:
    """Be pushed to no more, for example when somebody signs out."""
    await endpoints.unregister(work.uow, work.actor)


def _out(offer: PushOffer, registered: PushKind | None) -> PushEndpointOut:
    return PushEndpointOut(offered=offer.kinds, vapid_public_key=offer.vapid_public_key, registered=registered)
