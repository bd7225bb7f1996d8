"""Pictures for the report: the signature as it was drawn, the code to scan, photos made small and harmless."""

import io
from collections.abc import Sequence

import segno
from PIL import Image, ImageOps

from server.confirmation.domain import Stroke

_THUMBNAIL = (900, 900)
_READABLE = ("JPEG", "PNG", "WEBP")

# A picture that claims more is not opened at all: 40 million pixels are 120 MB once decoded.
_MAX_PIXELS = 40_000_000


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


def thumbnail(content: bytes) -> bytes | None:
    """Re-encode a photo to at most 900 px without its metadata; None for what can't be shown safely."""
    try:
        with Image.open(io.BytesIO(content), formats=_READABLE) as opened:
            if opened.width * opened.height > _MAX_PIXELS:
                return None
            opened.draft("RGB", _THUMBNAIL)
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail(_THUMBNAIL)
            small = io.BytesIO()
            _on_white(upright).save(small, "JPEG", quality=80)
            return small.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture.convert("RGBA"))
    return ground.convert("RGB")
