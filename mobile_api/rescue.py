"""The last door for what a person recorded. It takes things in and answers counts, to whoever the device belongs."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, override

from fastapi import APIRouter, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import Field, StringConstraints, model_validator
from starlette.responses import Response

from edge.auth import device_behind, rescuing_device
from edge.problems import PROBLEMS
from edge.services import ServicesOf, services_of
from server.core.wire import Id, Instant, Line, WireIn, WireOut, refuse_hostile_values
from server.identity.domain import Rescuer
from server.sync import fleet, rescue
from server.sync.errors import MalformedMutation
from server.sync.refusals import WrongDevice

router = APIRouter(prefix="/mobile/v1", tags=["rescue"], responses=PROBLEMS)


class RescueIn(WireIn):
    """An outbox, as the device keeps it or as it was exported. Mutations are taken as they are, readable or not."""

    device: Id
    stream: Id
    app: Annotated[str, StringConstraints(max_length=100)] = ""
    reason: Line = ""
    now: Annotated[Instant, Field(description="the device's clock when it sent this")] | None = None
    mutations: Annotated[list[Any], Field(min_length=1, max_length=rescue.MAX_MUTATIONS)]

    @model_validator(mode="before")
    @classmethod
    def _refuse_hostile_values(cls, data: Any) -> Any:
        if isinstance(data, dict):
            refuse_hostile_values({name: value for name, value in data.items() if name != "mutations"})
        return data

    def bundle(self) -> rescue.Bundle:
        return rescue.Bundle(self.device, self.stream, self.app, self.reason, self.mutations, self.now)


class RescueOut(WireOut):
    """Both are safe: what is kept now, and what was already."""

    accepted: int
    duplicates: int


class WipedIn(WireIn):
    device: Id
    unsent_left: Annotated[
        int, Field(ge=0, lt=2**53, description="mutations that were deleted unsent because the phone stayed locked")
    ] = 0


@router.post("/sync/rescue")
async def rescue_outbox(
    body: RescueIn, rescuer: Annotated[Rescuer, rescuing_device()], services: ServicesOf
) -> RescueOut:
    """Hand in what could not be pushed: revoked device, disabled person, ancient app. Repeat it until it is answered.

    The device's last access token will do, however old. Everything lands in quarantine for the office to decide.
    """
    if body.device != rescuer.device:
        raise WrongDevice
    async with services.database.unit_of_work(rescuer.org) as uow:
        counts = await rescue.take_in(uow, services.app_windows, body.bundle(), brought_by=rescuer.person)
    return RescueOut.model_validate(counts)


@router.post("/sync/wiped", status_code=status.HTTP_204_NO_CONTENT)
async def confirm_wiped(body: WipedIn, rescuer: Annotated[Rescuer, rescuing_device()], services: ServicesOf) -> None:
    """Confirm that the device deleted its data, as 403 with `wipe` asked of it."""
    if body.device != rescuer.device:
        raise WrongDevice
    async with services.database.unit_of_work(rescuer.org) as uow:
        await fleet.confirm_wiped(uow, rescuer.device, rescuer.person, unsent_left=body.unsent_left)


class KeepsRefused(APIRoute):
    """A route whose unreadable bodies are kept before they are refused: each holds somebody's work."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        plain = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await plain(request)
            except (RequestValidationError, MalformedMutation) as wrong:
                await _keep(request, wrong)
                raise

        return handler


async def _keep(request: Request, wrong: Exception) -> None:
    """Only for a device that is signed in: strangers get no room here."""
    actor = await device_behind(request)
    body = await request.body()
    if actor is None or actor.device is None or not body:
        return
    async with services_of(request).database.unit_of_work(actor.org) as uow:
        await rescue.keep_refused_push(uow, device=actor.device, person=actor.person, body=body, why=_why(wrong))


def _why(wrong: Exception) -> str:
    if isinstance(wrong, RequestValidationError):
        return "; ".join(str(error["msg"]) for error in wrong.errors()[:5])
    return str(wrong)
