"""Enrolling a phone and keeping it signed in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, status
from pydantic import Field, StringConstraints

from edge.limits import AddressOf
from edge.problems import PROBLEMS
from edge.services import ServicesOf
from server.core.limits import attempt
from server.core.wire import Name, WireIn, WireOut
from server.identity import service, throttle
from server.identity.domain import Audience

router = APIRouter(prefix="/mobile/v1", tags=["devices"], responses=PROBLEMS)


class EnrolDevice(WireIn):
    code: Annotated[str, StringConstraints(min_length=8, max_length=40)]
    name: Name
    platform: Name
    app_version: Name
    public_key: Annotated[str, StringConstraints(max_length=1000)] | None = None
    storage_persisted: bool = False


class DeviceRefreshToken(WireIn):
    refresh_token: Annotated[str, StringConstraints(max_length=200)]


class DeviceHolder(WireOut):
    id: UUID
    name: str
    language: str


class DeviceOrganisation(WireOut):
    id: UUID
    name: str
    slug: str
    timezone: str


class DeviceTokens(WireOut):
    access_token: str
    expires_in: Annotated[int, Field(description="seconds")]
    refresh_token: str


class EnrolledDevice(DeviceTokens):
    device_id: UUID
    person: DeviceHolder
    organisation: DeviceOrganisation


@router.post("/sync/devices", status_code=status.HTTP_201_CREATED)
async def enrol_device(body: EnrolDevice, services: ServicesOf, address: AddressOf) -> EnrolledDevice:
    """Exchange a one-time code for a device identity and its tokens."""
    now = services.wall_clock.now()
    async with attempt(services.database, f"enrol:{address}", throttle.ENROL, now):
        device, signed_in = await service.enrol_device(
            services.database,
            services.tokens,
            code=body.code,
            info=service.DeviceInfo(
                body.name, body.platform, body.app_version, body.public_key, body.storage_persisted
            ),
            now=now,
        )
    return EnrolledDevice(
        device_id=device,
        person=DeviceHolder.model_validate(signed_in.person),
        organisation=DeviceOrganisation.model_validate(signed_in.organisation),
        access_token=signed_in.access_token,
        expires_in=signed_in.expires_in,
        refresh_token=signed_in.refresh_token,
    )


@router.post("/auth/refresh")
async def refresh_device(body: DeviceRefreshToken, services: ServicesOf, address: AddressOf) -> DeviceTokens:
    """Answer new tokens; the presented one stays valid until a successor is used, so a lost reply can be repeated."""
    now = services.wall_clock.now()
    async with attempt(services.database, f"refresh:{address}", throttle.REFRESH, now):
        signed_in = await service.refresh(
            services.database, services.tokens, token=body.refresh_token, audience=Audience.MOBILE, now=now
        )
    return DeviceTokens(
        access_token=signed_in.access_token,
        expires_in=signed_in.expires_in,
        refresh_token=signed_in.refresh_token,
    )
