"""Work orders: opening them, moving them, and everything known about one."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query, status
from pydantic import Field, StringConstraints, model_validator

from edge.auth import Work, anyone_signed_in, permitted
from edge.idempotency import IdempotencyHeader, once
from edge.problems import PROBLEMS
from server.core.paging import MAX_PAGE
from server.core.wire import Id, Instant, Line, Name, PlaceOut, Search, Text, WireIn, WireOut
from server.customers import access as customer_access
from server.identity.domain import Permission
from server.workforce.domain import HIGHEST_LEVEL, LOWEST_LEVEL, SkillLevel
from server.workorders import access, checklists, evidence, hours, reading, service, voiding, writing
from server.workorders.domain import (
    DEFAULT_DURATION_MINUTES,
    TRANSITIONS,
    Action,
    Channel,
    HoldReason,
    OrderRequest,
    Priority,
    State,
    WorkOrder,
    actions_from,
)
from server.workorders.texts import TextField
from server.workorders.views import Filter
from web_api.board.details import WorkOrderDetail, WorkOrderOut, detail_of, whole
from web_api.board.summaries import WorkOrderSummary

router = APIRouter(prefix="/api/v1", tags=["work orders"], responses=PROBLEMS)

type SignedIn = Annotated[Work, anyone_signed_in()]


class SkillAsked(WireIn):
    key: Name
    level: Annotated[int, Field(ge=LOWEST_LEVEL, le=HIGHEST_LEVEL)]


class OpenWorkOrder(WireIn):
    site_id: Id
    asset_id: Id | None = None
    title: Name
    problem_type: Name
    description: Text
    priority: Priority = Priority.NORMAL
    window_start: Instant | None = None
    window_end: Instant | None = None
    duration_minutes: Annotated[int, Field(ge=1, le=100_000)] = DEFAULT_DURATION_MINUTES
    skills: Annotated[list[SkillAsked], Field(max_length=50)] = []
    procedure_key: Name | None = None
    preferred_engineer_id: Id | None = None
    channel: Channel = Channel.PHONE

    @model_validator(mode="after")
    def _window_is_one(self) -> Self:
        if self.window_start and self.window_end and self.window_end <= self.window_start:
            message = "window_end must lie after window_start"
            raise ValueError(message)
        return self

    def request(self) -> OrderRequest:
        levels = {skill.key: skill.level for skill in self.skills}
        said = dict(self) | {"skills": tuple(SkillLevel(key, level) for key, level in levels.items())}
        return OrderRequest(**said)


class RunAction(WireIn):
    """`expected_version` refuses the action when somebody else changed the order meanwhile."""

    action: Action
    reason: Line | None = None
    note: Text | None = None
    hold_reason: HoldReason | None = None
    visit_id: Id | None = None
    expected_version: Annotated[int, Field(ge=1)] | None = None


class AmendWorkOrder(WireIn):
    """Fields that are left out stay as they are; `expected_version` refuses the change when somebody was faster."""

    expected_version: Annotated[int, Field(ge=1)]
    title: Name | None = None
    problem_type: Name | None = None
    priority: Priority | None = None
    window_start: Instant | None = None
    window_end: Instant | None = None
    duration_minutes: Annotated[int, Field(ge=1, le=100_000)] | None = None

    @property
    def wanted(self) -> dict[str, Any]:
        """A window can be taken away by null; the others can't be nothing."""
        may_be_none = {"window_start", "window_end"}
        sent = {name: getattr(self, name) for name in self.model_fields_set - {"expected_version"}}
        return {name: value for name, value in sent.items() if value is not None or name in may_be_none}


class EditText(WireIn):
    """`base_rev` is the revision the edit was begun from; others' edits since then are merged in by words."""

    base_rev: Annotated[int, Field(ge=1, lt=2**31)]
    text: Text


class TextOut(WireOut):
    """The text as it stands now. `clash`: both changed the same words, so the edit was kept but does not stand."""

    field: TextField
    rev: int
    text: str
    merged: bool
    clash: bool


class RevisionOut(WireOut):
    rev: int
    parent: int | None
    body: str
    origin: str
    author_name: str | None
    at: datetime


class RevisionsOut(WireOut):
    items: list[RevisionOut]


class Because(WireIn):
    reason: Annotated[Line, StringConstraints(min_length=1)]


class AddNote(WireIn):
    body: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]


class NoteAdded(WireOut):
    id: UUID
    author_name: str
    body: str
    at: datetime


class WorkOrdersOut(WireOut):
    items: list[WorkOrderSummary]
    next_cursor: str | None


class TimelineEntryOut(WireOut):
    id: UUID
    visit_id: UUID | None
    action: str
    from_state: str | None
    to_state: str | None
    actor_name: str
    device_id: UUID | None
    at_device: datetime | None
    at: datetime
    recorded_at: datetime
    place: PlaceOut | None
    why: str | None
    facts: dict[str, Any]


class TimelineOut(WireOut):
    items: list[TimelineEntryOut]


class TransitionOut(WireOut):
    action: Action
    sources: list[State]
    target: State
    by: Permission
    requires: list[str]
    visit: str | None
    triggers: str | None


class StateOut(WireOut):
    state: State
    actions: list[Action]


class StatesOut(WireOut):
    """The one table of state changes, as the server obeys it."""

    states: list[StateOut]
    transitions: list[TransitionOut]


class ProcedureItemOut(WireOut):
    id: UUID
    ordinal: int
    kind: str
    label: dict[str, str]
    required: bool
    unit: str | None
    minimum: float | None
    maximum: float | None
    choices: list[dict[str, str]]
    safety_critical: bool


class ProcedureOut(WireOut):
    id: UUID
    key: str
    version: int
    name: dict[str, str]
    items: list[ProcedureItemOut]


class ProceduresOut(WireOut):
    items: list[ProcedureOut]
    next_cursor: str | None


@router.get("/work-orders")
async def list_work_orders(
    work: SignedIn,
    state: Annotated[list[State] | None, Query(max_length=len(State))] = None,
    priority: Annotated[list[Priority] | None, Query(max_length=len(Priority))] = None,
    q: Annotated[Search | None, Query(description="a number, or words of title, customer, site or serial")] = None,
    engineer_id: Id | None = None,
    customer_id: Id | None = None,
    open: Annotated[bool, Query(description="only orders that are neither closed nor cancelled")] = False,  # noqa: A002, FBT002
    voided: Annotated[bool, Query(description="those that were taken back, instead of all others")] = False,  # noqa: FBT002
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> WorkOrdersOut:
    """The orders one may see, the newest first."""
    wanted = Filter(state or [], priority or [], q, engineer_id, customer_id, open, voided)
    return WorkOrdersOut.model_validate(
        await reading.summaries(work.uow, work.actor, wanted, cursor=cursor, limit=limit)
    )


@router.post("/work-orders", status_code=status.HTTP_201_CREATED)
async def open_work_order(
    work: Annotated[Work, permitted(Permission.ORDERS_CREATE)], body: OpenWorkOrder, key: IdempotencyHeader = None
) -> WorkOrderOut:
    async def act() -> WorkOrderOut:
        await customer_access.site_for(work.uow, work.actor, body.site_id)
        return await _answer(work, await service.open_work_order(work.uow, work.actor, body.request()))

    return await once(work, key, body, WorkOrderOut, act)


@router.get("/work-orders/{work_order_id}")
async def get_work_order(work: SignedIn, work_order_id: Id) -> WorkOrderDetail:
    return await detail_of(work, work_order_id)


@router.get("/work-orders/{work_order_id}/timeline")
async def get_timeline(work: SignedIn, work_order_id: Id) -> TimelineOut:
    """Everything that happened, in the order it happened: by the estimated time of the act, not of its arrival."""
    return TimelineOut.model_validate({"items": await reading.history(work.uow, work.actor, work_order_id)})


@router.post("/work-orders/{work_order_id}/actions")
async def run_action(work: SignedIn, work_order_id: Id, body: RunAction, key: IdempotencyHeader = None) -> WorkOrderOut:
    async def act() -> WorkOrderOut:
        await access.work_order_for(work.uow, work.actor, work_order_id)
        moved = await service.perform(work.uow, work.actor, work_order_id=work_order_id, **dict(body))
        return await _answer(work, moved)

    return await once(work, key, body, WorkOrderOut, act)


@router.patch("/work-orders/{work_order_id}")
async def amend_work_order(
    work: Annotated[Work, permitted(Permission.ORDERS_TRIAGE)], work_order_id: Id, body: AmendWorkOrder
) -> WorkOrderOut:
    await access.work_order_for(work.uow, work.actor, work_order_id)
    wanted = body.wanted
    return await _answer(
        work,
        await service.amend(
            work.uow, work.actor, work_order_id=work_order_id, expected_version=body.expected_version, wanted=wanted
        ),
    )


@router.put("/work-orders/{work_order_id}/texts/{field}")
async def edit_text(
    work: Annotated[Work, permitted(Permission.ORDERS_TRIAGE)], work_order_id: Id, field: TextField, body: EditText
) -> TextOut:
    await access.living_order_for(work.uow, work.actor, work_order_id)
    admission = await access.admit(work.uow, work.actor, work_order_id=work_order_id, hold=True)
    written = await writing.edit_text(
        work.uow,
        work.actor,
        admission.order,
        field=field,
        base_rev=body.base_rev,
        new=body.text,
        signed=admission.signed,
    )
    now = await access.work_order_for(work.uow, work.actor, work_order_id)
    text, rev = writing.text_of(now, field)
    clash = written is not None and written.clash is not None
    return TextOut(field=field, rev=rev, text=text, merged=written is not None and written.merged, clash=clash)


@router.get("/work-orders/{work_order_id}/texts/{field}/revisions")
async def list_revisions(work: SignedIn, work_order_id: Id, field: TextField) -> RevisionsOut:
    """Every version of a text, also those that never stood, oldest first."""
    order = await access.work_order_for(work.uow, work.actor, work_order_id)
    return RevisionsOut.model_validate({"items": await writing.revisions(work.uow, order, field)})


@router.post("/work-orders/{work_order_id}/void")
async def void_work_order(
    work: Annotated[Work, permitted(Permission.ORDERS_CLOSE)], work_order_id: Id, body: Because
) -> WorkOrderOut:
    """Take an order back: it leaves every phone and list, and what phones still send for it waits for a person."""
    await access.work_order_for(work.uow, work.actor, work_order_id)
    return await _answer(work, await voiding.void(work.uow, work.actor, work_order_id, reason=body.reason))


@router.post("/work-orders/{work_order_id}/restore")
async def restore_work_order(
    work: Annotated[Work, permitted(Permission.ORDERS_CLOSE)], work_order_id: Id, body: Because
) -> WorkOrderOut:
    await access.work_order_for(work.uow, work.actor, work_order_id)
    return await _answer(work, await voiding.restore(work.uow, work.actor, work_order_id, reason=body.reason))


@router.post("/work-orders/{work_order_id}/time-entries/{entry_id}/approval", status_code=status.HTTP_204_NO_CONTENT)
async def approve_time(
    work: Annotated[Work, permitted(Permission.ORDERS_CLOSE)], work_order_id: Id, entry_id: Id
) -> None:
    """Approve hours for payroll; from then on a correction by their author is a request."""
    await access.work_order_for(work.uow, work.actor, work_order_id)
    await hours.approve(work.uow, work.actor, work_order_id, entry_id)


@router.post("/work-orders/{work_order_id}/notes", status_code=status.HTTP_201_CREATED)
async def add_note(work: SignedIn, work_order_id: Id, body: AddNote, key: IdempotencyHeader = None) -> NoteAdded:
    async def act() -> NoteAdded:
        await access.living_order_for(work.uow, work.actor, work_order_id)
        admission = await access.admit(work.uow, work.actor, work_order_id=work_order_id)
        note_id = work.uow.new_id()
        await evidence.add_note(work.uow, work.actor, admission, note_id=note_id, body=body.body)
        return NoteAdded(id=note_id, author_name=work.actor.name, body=body.body, at=work.uow.now())

    return await once(work, key, body, NoteAdded, act)


@router.get("/work-order-states")
async def list_work_order_states(_work: SignedIn) -> StatesOut:
    return StatesOut.model_validate(
        {
            "states": [{"state": state, "actions": actions_from(state)} for state in State],
            "transitions": [{**vars(row), "sources": sorted(row.sources)} for row in TRANSITIONS.values()],
        }
    )


@router.get("/procedures")
async def list_procedures(work: SignedIn) -> ProceduresOut:
    """The newest version of every checklist."""
    found = await checklists.procedures(work.uow)
    return ProceduresOut.model_validate(
        {"items": [{**vars(procedure), "items": items} for procedure, items in found], "next_cursor": None}
    )


async def _answer(work: Work, order: WorkOrder) -> WorkOrderOut:
    summary = await reading.summary_of(work.uow, order.id)
    assert summary is not None
    return WorkOrderOut.model_validate(whole(order, summary))
