"""A visit as its engineer's phone shows it."""

from dataclasses import dataclass
from typing import Any

from simulator.device import Device
from simulator.roads import Place

_OURS = {"dispatched", "accepted", "travelling", "on_site", "working", "paused", "completed"}

type Json = dict[str, Any]


@dataclass(frozen=True)
class Item:
    """One line of the checklist."""

    id: str
    kind: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """`id` is the work order's."""

    id: str
    visit: str
    number: int
    title: str
    state: str
    priority: str
    minutes: int
    place: Place
    procedure: str | None
    planned_start: str

    @staticmethod
    def all_of(device: Device) -> list["Job"]:
        """Jobs whose newest visit is this device's person's and whose place is known here."""
        orders, sites = device.view.rows("work_order"), device.view.rows("site")
        visits: dict[str, tuple[str, Json]] = {}
        for visit_id, visit in device.view.rows("visit").items():
            order = visit["work_order_id"]
            if order not in visits or visit["ordinal"] > visits[order][1]["ordinal"]:
                visits[order] = (visit_id, visit)
        me = device.person.id
        return [
            _job(order_id, orders[order_id], visit_id, visit, sites[orders[order_id]["site_id"]])
            for order_id, (visit_id, visit) in visits.items()
            if visit["engineer_id"] == me and visit["state"] in _OURS
            if order_id in orders and orders[order_id]["site_id"] in sites
        ]

    def again(self, device: Device) -> "Job | None":
        """The same job as it is now, None when it was taken away."""
        return next((job for job in Job.all_of(device) if (job.id, job.visit) == (self.id, self.visit)), None)

    def checklist(self, device: Device) -> list[Item]:
        """What is still to be answered, in order."""
        answered = {
            answer["item_id"] if "item_id" in answer else answer["item"]
            for answer in device.view.rows("checklist_answer").values()
            if answer["work_order_id"] == self.id
        }
        items = [
            (row["ordinal"], _item(item_id, row))
            for item_id, row in device.view.rows("procedure_item").items()
            if row["procedure_id"] == self.procedure and item_id not in answered
        ]
        return [item for _, item in sorted(items, key=lambda pair: pair[0])]


def _job(order_id: str, order: Json, visit_id: str, visit: Json, site: Json) -> Job:
    return Job(
        id=order_id,
        visit=visit_id,
        number=order["number"],
        title=order["title"],
        state=order["state"],
        priority=order["priority"],
        minutes=order["duration_minutes"],
        place=Place(site["lon"], site["lat"]),
        procedure=order["procedure_id"],
        planned_start=visit["planned_start"] or "",
    )


def _item(item_id: str, row: Json) -> Item:
    choices = tuple(choice["key"] for choice in row["choices"] or [])
    return Item(item_id, row["kind"], row["minimum"], row["maximum"], choices)
