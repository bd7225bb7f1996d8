"""Everything known about one order, put together from the packages that each know a part of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from edge.auth import Work
from server.confirmation import service as confirmation
from server.confirmation.domain import Attested, Confirmation, Ending
from server.core.wire import WireOut
from server.inventory import service as inventory
from server.workorders import reading
from server.workorders.domain import Action, Pin, WorkOrder
from server.workorders.views import ChecklistLine
from server.workorders.views import WorkOrderSummary as Summary
from web_api.board.customers import AssetOut, ContactOut, CustomerOut, SiteOut
from web_api.board.summaries import WorkOrderSummary


class WorkOrderOut(WorkOrderSummary):
    asset_id: UUID | None
    description: str
    description_rev: int
    findings: str
    findings_rev: int
    channel: str
    hold_reason: str | None
    reported_by: str
    procedure_id: UUID | None
    preferred_engineer_id: UUID | None
    closed_at: datetime | None
    voided_at: datetime | None


class SkillNeeded(WireOut):
    key: str
    level: int


class VisitOut(WireOut):
    id: UUID
    ordinal: int
    state: str
    engineer_id: UUID | None
    engineer_name: str | None
    planned_start: datetime | None
    planned_end: datetime | None
    approached_at: datetime | None
    finished_at: datetime | None
    pin: Pin | None
    version: int


class NoteOut(WireOut):
    id: UUID
    visit_id: UUID | None
    author_name: str
    body: str
    at: datetime


class AnswerOut(WireOut):
    id: UUID
    value: Any
    answered_by: UUID
    answered_by_name: str
    at: datetime
    disputed: bool


class ChecklistItemOut(WireOut):
    """An item, the answer that stands, those somebody else holds against it, and those it replaced."""

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
    answer: AnswerOut | None
    against: list[AnswerOut]
    earlier: list[AnswerOut]
    out_of_limits: bool


class TimeEntryOut(WireOut):
    id: UUID
    visit_id: UUID | None
    person_name: str
    kind: str
    started_at: datetime
    ended_at: datetime | None
    device_started_at: datetime | None
    device_ended_at: datetime | None
    uncertainty_ms: int | None
    started_zone: str | None
    ended_zone: str | None
    flags: list[str]
    revision: int
    approved_at: datetime | None


class CostOut(WireOut):
    id: UUID
    visit_id: UUID | None
    person_name: str
    kind: str
    amount_minor: int
    currency: str
    description: str
    at: datetime


class PhotoOut(WireOut):
    """`state`: pending_blob, ready, derived or undecodable; `missing` when its bytes are overdue."""

    id: UUID
    visit_id: UUID | None
    author_name: str
    sha256: str
    caption: str
    at: datetime
    state: str
    undecodable_why: str | None
    width: int | None
    height: int | None
    blurhash: str | None
    missing: bool


class PartUsedOut(WireOut):
    part_id: UUID
    sku: str
    name: dict[str, str]
    unit: str
    quantity: float
    serials: list[str]


class SignatureOut(WireOut):
    """How a customer answered when asked to sign; only `signed` has a rating, the others have a reason."""

    id: UUID
    ending: Ending
    signer_name: str
    signer_role: str
    rating: int | None
    comment: str
    reason: str
    document_hash: str
    attested: Attested
    at: datetime
    superseded_at: datetime | None
    superseded_parts: list[str]


class ReportOut(WireOut):
    version: int
    language: str
    document_hash: str
    code: str
    created_at: datetime


class WorkOrderDetail(WorkOrderOut):
    customer: CustomerOut
    site: SiteOut
    asset: AssetOut | None
    contacts: list[ContactOut]
    skills: list[SkillNeeded]
    procedure_key: str | None
    visits: list[VisitOut]
    notes: list[NoteOut]
    checklist: list[ChecklistItemOut]
    extra_answers: list[AnswerOut]
    time_entries: list[TimeEntryOut]
    costs: list[CostOut]
    photos: list[PhotoOut]
    parts: list[PartUsedOut]
    signature: SignatureOut | None
    earlier_signatures: list[SignatureOut]
    reports: list[ReportOut]
    allowed_actions: list[Action]
    missing_files: int
    invoice_obstacles: list[str]


def whole(order: WorkOrder, summary: Summary) -> dict[str, Any]:
    return {**vars(order), **vars(summary)}


async def detail_of(work: Work, work_order_id: UUID) -> WorkOrderDetail:
    """Raises NotFound."""
    known = await reading.detail(work.uow, work.actor, work_order_id)
    answers = await confirmation.confirmations_of(work.uow, work_order_id)
    newest = next((found for found in answers if found.ending is Ending.SIGNED), None)
    return WorkOrderDetail.model_validate(
        {
            **vars(known),
            **whole(known.order, known.summary),
            "missing_files": known.missing_files,
            "invoice_obstacles": known.invoice_obstacles,
            "checklist": [_line(line) for line in known.checklist],
            "time_entries": known.time,
            "parts": await inventory.parts_used(work.uow, work_order_id),
            "signature": _signature(newest) if newest else None,
            "earlier_signatures": [_signature(found) for found in answers if found is not newest],
            "reports": await confirmation.reports_of(work.uow, work_order_id),
        }
    )


def _signature(found: Confirmation) -> dict[str, Any]:
    return {**vars(found), "id": found.signature_id}


def _line(line: ChecklistLine) -> dict[str, Any]:
    return {**vars(line.item), **vars(line), "out_of_limits": line.out_of_limits}
