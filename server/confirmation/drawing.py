"""Pictures for the report: the signature as it was drawn, the code to scan, photos made small and harmless."""

import io
from collections.abc import Sequence

import segno
from PIL import Image

from server.confirmation.domain import Stroke
from server.media.domain import VIEW_PX

_THUMBNAIL = (900, 900)


def signature_svg(strokes: Sequence[Stroke]) -> bytes:
    """Draw strokes as smooth black lines, cropped to what was drawn."""
    xs = [x for stroke in strokes for x, *_ in stroke] or [0.0]
    ys = [y for stroke in strokes for _, y, *_ in stroke] or [0.0]
    width, height = max(max(xs) - min(xs), 1.0), max(max(ys) - min(ys), 1.0)
    pen = max(width / 160, height / 50)
    paths = "".join(f'<path d="{_path(stroke, min(xs), min(ys))}"/>' for stroke in strokes if stroke)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="{-pen:.2f} {-pen:.2f} {width + 2 * pen:.2f} {height + 2 * pen:.2f}">'
        f'<g fill="none" stroke="#10243e" stroke-width="{pen:.2f}" stroke-linecap="round" stroke-linejoin="round">'
        f"{paths}</g></svg>"
    ).encode()


def _path(stroke: Stroke, left: float, top: float) -> str:
    points = [f"{x - left:.2f} {y - top:.2f}" for x, y, *_ in stroke]
    # A dot is a line to itself, which round caps make visible.
    return "M" + " L".join(points if len(points) > 1 else points * 2)


def qr_svg(text: str) -> bytes:
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawn, kind="svg", border=2, xmldecl=False, svgns=True, dark="#16202c"
    )
    return drawn.getvalue()


def thumbnail(copy: bytes) -> bytes | None:
    """Re-encode the small copy of a photo for print; None for what is none.

    Originals never come here: decoding them takes the limits that only the process of `media.sandbox` has.
    """
    try:
        with Image.open(io.BytesIO(copy), formats=("WEBP",)) as opened:
            if max(opened.size) > VIEW_PX:
                return None
            small = opened.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        return None
    small.thumbnail(_THUMBNAIL)
    printed = io.BytesIO()
    small.save(printed, "JPEG", quality=80)
    return printed.getvalue()
