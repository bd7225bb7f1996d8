"""What phones talk to: a versioned contract that only grows, because old apps live for a year."""

from fastapi import APIRouter

from mobile_api import blobs, devices, events, fences, health, positions, push, rescue, review, sync

ROUTERS: tuple[APIRouter, ...] = (
    sync.router,
    sync.push_router,
    devices.router,
    events.router,
    push.router,
    positions.router,
    fences.router,
    blobs.router,
    review.router,
    rescue.router,
    blobs.rescue_router,
    health.router,
)
