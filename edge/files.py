"""Answering stored files: as the bytes they are, never as something a browser would run."""

from collections.abc import Mapping

from fastapi.responses import StreamingResponse

from edge.services import Services
from server.media.domain import Blob, BlobKey

# Content never changes under its hash.
_HEADERS: Mapping[str, str] = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def stored_file(
    services: Services, key: BlobKey, blob: Blob, *, name: str | None = None, cache: str | None = None
) -> StreamingResponse:
    """Stream a complete blob in pieces; one with a `name` may be shown in a browser, any other is only saved."""
    headers = dict(_HEADERS) | {"Content-Length": str(blob.size), "ETag": f'"{blob.sha256}"'}
    plain = f"{blob.sha256[:16]}.{blob.mime.rpartition('/')[2]}"
    headers["Content-Disposition"] = f'inline; filename="{name}"' if name else f'attachment; filename="{plain}"'
    if cache is not None:
        headers["Cache-Control"] = cache
    return StreamingResponse(services.blobs.read(key), media_type=blob.mime, headers=headers)
