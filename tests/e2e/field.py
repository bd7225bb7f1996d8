"""An engineer's phone on the live system, by HTTP: what it recorded out of sight comes in when it is told to push."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from server.sync.envelope import canonical
from tests.factories.media import File, checksum

PASSWORD = "callout-demo-2026"  # of everybody in the seeded company
_TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


@dataclass
class Phone:
    api: httpx.Client
    person: dict[str, Any]
    device: str
    token: str
    stream: str = field(default_factory=lambda: str(uuid4()))
    outbox: list[dict[str, Any]] = field(default_factory=list)
    sent: int = 0

    def record(self, name: str, minutes_ago: float = 5, v: int = 1, **args: object) -> dict[str, Any]:
        before = hashlib.sha256(canonical(self.outbox[-1])).hexdigest() if self.outbox else None
        mutation = {
            "seq": len(self.outbox) + 1,
            "id": str(uuid4()),
            "name": name,
            "v": v,
            "args": args,
            "at": (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat(),
            "prev": before,
        }
        self.outbox.append(mutation)
        return mutation

    def steps(self, order: dict[str, Any], *steps: str, since: float = 30) -> None:
        """Go these steps of its visit of an order, a minute each."""
        for at, to in enumerate(steps):
            said: dict[str, object] = {"note": "The pump runs again."} if to == "resolve" else {}
            self.record("wo.transition", since - at, 1, wo=order["id"], visit=order["visit_id"], to=to, **said)

    def push(self) -> list[tuple[str, str | None]]:
        """Send what was recorded since the last time; answer status and code of each."""
        batch = {
            "protocol": 1,
            "device": self.device,
            "stream": self.stream,
            "clock": {"now": datetime.now(UTC).isoformat()},
            "mutations": self.outbox[self.sent :],
        }
        answer = self.api.post("/mobile/v1/sync/push", json=batch, headers=self._headers).raise_for_status()
        self.sent = len(self.outbox)
        return [(result["status"], result.get("code")) for result in answer.json()["results"]]

    def upload(self, file: File) -> None:
        self.api.post("/mobile/v1/blobs", json=file.announcement(), headers=self._headers).raise_for_status()
        headers = self._headers | _TUS | {"Upload-Offset": "0", "Upload-Checksum": checksum(file.content)}
        self.api.patch(f"/mobile/v1/blobs/{file.sha256}", content=file.content, headers=headers).raise_for_status()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def is_founder(person: dict[str, Any]) -> bool:
    """Whether somebody belongs to the demo company, with a van: other tests hire people of their own."""
    return str(person["email"]).endswith("@riviera.example")


def enrolled(office: httpx.Client, at: int = 0) -> Phone:
    """A phone of one of the engineers."""
    people = office.get("/api/v1/people", params={"limit": 100}).raise_for_status().json()["items"]
    person = [one for one in people if one["engineer"] and one["active"] and is_founder(one)][at]
    code = office.post(f"/api/v1/people/{person['id']}/enrolment-codes").raise_for_status().json()["code"]
    about = {"code": code, "name": "Phone", "platform": "pwa", "app_version": "pwa/2026.11.3"}
    device = office.post("/mobile/v1/sync/devices", json=about).raise_for_status().json()
    return Phone(office, person, device["device_id"], device["access_token"])


def an_order_for(office: httpx.Client, phone: Phone, **changed: object) -> dict[str, Any]:
    """An order dispatched to a phone's person."""
    site = office.get("/api/v1/sites", params={"limit": 1}).raise_for_status().json()["items"][0]
    asked = {
        "site_id": site["id"],
        "title": "Pump leaks in the boiler room",
        "problem_type": "heating",
        "description": "The pump leaks at night. The key is at the reception.",
        "priority": "normal",
    } | changed
    order = office.post("/api/v1/work-orders", json=asked).raise_for_status().json()
    act(office, order, action="triage")
    return assign(office, order, phone)


def assign(office: httpx.Client, order: dict[str, Any], phone: Phone) -> dict[str, Any]:
    body = {"engineer_id": phone.person["id"]}
    given: dict[str, Any] = (
        office.post(f"/api/v1/work-orders/{order['id']}/assign", json=body).raise_for_status().json()
    )
    return given


def act(office: httpx.Client, order: dict[str, Any], **said: object) -> None:
    office.post(f"/api/v1/work-orders/{order['id']}/actions", json=said).raise_for_status()


def set_planning_policy(office: httpx.Client, **values: object) -> None:
    """Put the policy in force with other values, in place of whatever an earlier test has left."""
    policy = office.get("/api/v1/planning-policy").raise_for_status().json()
    wanted = policy | values | {"expected_version": policy["version"]}
    del wanted["version"]
    office.put("/api/v1/planning-policy", json=wanted).raise_for_status()
