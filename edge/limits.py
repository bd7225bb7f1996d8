"""No body larger than the limit is ever read. FastAPI's own limit answers plain text; ours answers a problem.

And who may try how often: secrets are guessed at from somewhere.
"""

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.problems import problem_response


class BodyLimit:
    """Refuses by the declared length at once, and by the counted length where none was declared."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or len(declared) > 18 or int(declared) > self.max_bytes:  # noqa: PLR2004
            answer = problem_response(413, "too_large", self._sentence())
            await answer(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.max_bytes:
                raise HTTPException(413, self._sentence())
            return message

        await self.app(scope, counted, send)

    def _sentence(self) -> str:
        return f"The body is larger than {self.max_bytes:,} bytes; send less at once."


async def address_of(request: Request) -> str:
    """Where a request comes from, as far as the connection says; behind a proxy that is the proxy."""
    return request.client.host if request.client else "nowhere"


type AddressOf = Annotated[str, Depends(address_of)]
