"""Whatever the description allows, and what it doesn't: no 5xx, no status that is not described."""

import os
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from callout.seeding import DEMO_PASSWORD
from tests.live import ROOT

pytestmark = [pytest.mark.xdist_group("live"), pytest.mark.slow]

# A bounded run here; CALLOUT_FUZZ_EXAMPLES=1000 is the long one.
EXAMPLES = int(os.environ.get("CALLOUT_FUZZ_EXAMPLES", "12"))
# Streams that never end by themselves have tests of their own.
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ENDLESS = {"/api/v1/board/events", "/mobile/v1/sync/events"}


def _tokens(url: str) -> dict[str, str]:
    """A browser's and a phone's access token."""
    login = {"email": "admin@riviera.example", "password": DEMO_PASSWORD}
    web = httpx.post(f"{url}/api/v1/auth/login", json=login, timeout=30).json()["access_token"]
    as_admin = {"Authorization": f"Bearer {web}"}
    people = httpx.get(f"{url}/api/v1/people", params={"limit": 200}, headers=as_admin, timeout=30).json()["items"]
    engineer = next(person["id"] for person in people if person["engineer"])
    code = httpx.post(f"{url}/api/v1/people/{engineer}/enrolment-codes", headers=as_admin, timeout=30).json()["code"]
    phone = {"code": code, "name": "Fuzz", "platform": "test", "app_version": "1", "storage_persisted": False}
    mobile = httpx.post(f"{url}/mobile/v1/sync/devices", json=phone, timeout=30).json()["access_token"]
    return {"/api/v1": web, "/mobile/v1": mobile, "/portal/v1": "", "": ""}


@pytest.fixture(scope="session")
def fuzz_tokens(live_server):
    return _tokens(live_server.url)


SCHEMA = schemathesis.openapi.from_path(ROOT / "docs" / "openapi" / "openapi.json")
OPERATIONS: list[Any] = [
    operation for found in SCHEMA.get_all_operations() if (operation := found.ok()).path not in ENDLESS
]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_operation_keeps_its_description(operation, mode, live_server, fuzz_tokens):
    prefix = next(prefix for prefix in fuzz_tokens if operation.path.startswith(prefix))
    headers = {"Authorization": f"Bearer {fuzz_tokens[prefix]}"} if fuzz_tokens[prefix] else {}

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def holds(case):
        answer = case.call(base_url=live_server.url, headers=headers, timeout=30)
        case.validate_response(answer, checks=CHECKS)

    try:
        holds()
    except Unsatisfiable:
        pytest.skip("nothing about this operation can be wrong")
