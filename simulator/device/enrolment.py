"""Trading a one-time code for an identity."""

from typing import Any

import httpx

from simulator.device.errors import EnrolmentRefused, NoConnection


async def exchange(http: httpx.AsyncClient, code: str, name: str, app: str, public_key: str) -> dict[str, Any]:
    """The identity that the code stands for. Raises EnrolmentRefused, NoConnection."""
    about = {
        "code": code,
        "name": name,
        "platform": "reference",
        "app_version": app,
        "public_key": public_key,
        "storage_persisted": True,
    }
    try:
        response = await http.post("/mobile/v1/sync/devices", json=about)
    except httpx.TransportError as broken:
        raise NoConnection(str(broken)) from broken
    if not response.is_success:
        raise EnrolmentRefused(response.text)
    return dict(response.json())
