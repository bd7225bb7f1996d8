"""Every request gets a trace id (the caller's, when it sends W3C traceparent) and is counted and timed by route."""

import re
import secrets
import time

from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.core.logging import trace_id

REQUESTS = Counter("callout_http_requests_total", "HTTP requests", ["method", "route", "status"])
SECONDS = Histogram("callout_http_request_seconds", "Time until the answer began", ["method", "route"])

_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


class Observing:
    """Outermost middleware, plain ASGI so that streams pass through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = _TRACEPARENT.match(Headers(scope=scope).get("traceparent", ""))
        current = given.group(1) if given else secrets.token_hex(16)
        token = trace_id.set(current)
        began = time.perf_counter()

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Trace-Id"] = current
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                route = getattr(scope.get("route"), "path", "other")
                REQUESTS.labels(scope["method"], route, message["status"]).inc()
                SECONDS.labels(scope["method"], route).observe(time.perf_counter() - began)
            await send(message)

        try:
            await self.app(scope, receive, observed)
        finally:
            trace_id.reset(token)
