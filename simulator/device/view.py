"""What the engineer sees: the server's rows with everything still pending played on top."""

from collections.abc import Callable, Mapping
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

_OF_PHOTO: Mapping[str, Callable[[Json], Json]] = {
    "photo.caption": lambda args: {"caption": args["caption"]},
    "photo.hide": lambda _: {"hidden": True},
    "photo.show": lambda _: {"hidden": False},
}

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
        if entity == "checklist_answer":
            _supersede(rows, args)
        rows[args["id"]] = {**args, "work_order_id": args["wo"], "at": pending.envelope["at"]}
    elif (entity, pending.name) == ("work_order", "text.edit") and args["wo"] in rows:
        rows[args["wo"]] = {**rows[args["wo"]], args["field"]: args["new"]}
    elif entity == "photo" and pending.name in _OF_PHOTO and args["photo"] in rows:
        rows[args["photo"]] = {**rows[args["photo"]], **_OF_PHOTO[pending.name](args)}
    elif (entity, pending.name) == ("pool_offer", "pool.take") and args["offer"] in rows:
        rows[args["offer"]] = {**rows[args["offer"]], "asked_for": True}
    elif entity == "stock" and pending.name in _MOVES:
        _move_stock(rows, args["part"], args["quantity"] * _MOVES[pending.name])
    elif entity in {"work_order", "visit"} and (state := _state_after(entity, pending)):
        row_id = args["wo"] if entity == "work_order" else args.get("visit")
        if row_id in rows:
            rows[row_id] = {**rows[row_id], "state": state}


def _supersede(rows: Rows, args: Json) -> None:
    """One's newest answer is the one that is shown until the server has said which stands."""
    for row_id, row in rows.items():
        of_item = (row["work_order_id"], row.get("item_id", row.get("item"))) == (args["wo"], args["item"])
        if of_item and row.get("superseded_by") is None:
            rows[row_id] = {**row, "superseded_by": args["id"]}


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
