"""What the engineer sees: the server's rows with everything still pending played on top."""

from collections.abc import Mapping
from typing import Any

from simulator.device.base import Base
from simulator.device.outbox import Json, Outbox, Recorded

# What an order looks like to its engineer once they did this; the server's table has the last word.
_STATE_AFTER: Mapping[str, str] = {
    "accept": "accepted",
    "decline": "triaged",
    "travel": "travelling",
    "arrive": "on_site",
    "start": "working",
    "hold": "on_hold",
    "resume": "working",
    "resolve": "resolved",
    "request_confirmation": "awaiting_confirmation",
}
_VISIT_AFTER: Mapping[str, str] = {
    **_STATE_AFTER,
    "decline": "declined",
    "hold": "paused",
    "resolve": "completed",
    "request_confirmation": "completed",
}
_ADDS: Mapping[str, str] = {
    "note.add": "note",
    "answer.set": "checklist_answer",
    "time.add": "time_entry",
    "cost.add": "cost",
    "photo.add": "photo",
    "signature.capture": "signature",
}
_MOVES: Mapping[str, int] = {"part.use": -1, "part.return": 1}

type Rows = dict[str, Json]


class View:
    def __init__(self, base: Base, outbox: Outbox) -> None:
        self._base, self._outbox = base, outbox

    def rows(self, entity: str) -> Rows:
        """Rows of one entity by id, as the device would show them now."""
        rows = {row.id: row.data for row in self._base.rows(entity)}
        for pending in self._outbox.after(self._base.seen_seq):
            _overlay(entity, rows, pending)
        return rows


def _overlay(entity: str, rows: Rows, pending: Recorded) -> None:
    args = pending.args
    if _ADDS.get(pending.name) == entity:
        rows[args["id"]] = {**args, "work_order_id": args["wo"], "at": pending.envelope["at"]}
    elif entity == "stock" and pending.name in _MOVES:
        _move_stock(rows, args["part"], args["quantity"] * _MOVES[pending.name])
    elif entity in {"work_order", "visit"} and (state := _state_after(entity, pending)):
        row_id = args["wo"] if entity == "work_order" else args.get("visit")
        if row_id in rows:
            rows[row_id] = {**rows[row_id], "state": state}


def _state_after(entity: str, pending: Recorded) -> str | None:
    if pending.name == "wo.transition":
        return (_STATE_AFTER if entity == "work_order" else _VISIT_AFTER).get(pending.args["to"])
    if pending.name == "signature.capture" and entity == "work_order":
        return "closed"
    return None


def _move_stock(rows: Rows, part: Any, quantity: float) -> None:
    for row_id, row in rows.items():
        if row["part_id"] == part:
            rows[row_id] = {**row, "quantity": float(row["quantity"]) + quantity}
