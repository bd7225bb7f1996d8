"""Compressing a whole answer as the client asked for."""

import gzip
from typing import Annotated

import zstandard
from fastapi import Header
from starlette.responses import Response

type AcceptEncoding = Annotated[str, Header(max_length=500)]

_WORTH_IT = 400  # bytes; below, the header costs more than it saves


def compressed(body: bytes, accepted: str, media_type: str) -> Response:
    """Answer `body` as zstd or gzip, whichever the client takes, zstd first."""
    names = {part.split(";")[0].strip() for part in accepted.lower().split(",")}
    headers = {"Vary": "Accept-Encoding"}
    if len(body) >= _WORTH_IT and "zstd" in names:
        body, headers["Content-Encoding"] = zstandard.compress(body, 3), "zstd"
    elif len(body) >= _WORTH_IT and "gzip" in names:
        body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
    return Response(body, media_type=media_type, headers=headers)
