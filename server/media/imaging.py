"""Making small harmless pictures of a file nobody trusts. Runs as a process of its own: see `sandbox`.

Reads the file from standard input and answers one line of JSON, then the bytes of the small copies. It gives itself
narrow limits before it reads the first byte, so what a hostile file can reach is this process and its few seconds.
"""

import json
import os
import resource
import sys
from io import BytesIO

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from pillow_heif import register_heif_opener

from server.media import blurhash
from server.media.domain import THUMB_PX, VIEW_PX

MEMORY_BYTES = 1_200_000_000
CPU_SECONDS = 20

# More than any telephone takes in one piece, and decoded (4 bytes each) well within the memory.
MOST_PIXELS = 110_000_000

_READABLE = ("JPEG", "PNG", "WEBP", "HEIF")
_ORIENTATION, _FIRST_TURNED = 0x0112, 5


class Undecodable(Exception):  # noqa: N818 - a fact about a file
    """Carries the reason as a word."""


def limit() -> None:
    """Give up what decoding doesn't need. Hard limits: nothing that runs here later can raise them again."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 16),
    ):
        resource.setrlimit(what, (most, most))
    os.nice(10)


def derive(content: bytes, most_pixels: int) -> tuple[dict[str, object], bytes, bytes]:
    """Answer width, height and blurhash, then thumb and view as WebP. Raises Undecodable."""
    Image.MAX_IMAGE_PIXELS = None  # ours is checked before a pixel is decoded
    register_heif_opener(thumbnails=False)
    try:
        with Image.open(BytesIO(content), formats=_READABLE) as opened:
            if opened.width * opened.height > most_pixels:
                raise Undecodable("too_many_pixels")
            width, height = _upright_size(opened)
            opened.draft("RGB", (VIEW_PX * 2, VIEW_PX * 2))
            view = _harmless(opened)
    except MemoryError:
        raise Undecodable("memory") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError) as broken:
        raise Undecodable("bomb" if "too large" in str(broken).lower() else "broken") from None
    thumb = view.copy()
    thumb.thumbnail((THUMB_PX, THUMB_PX))
    facts = {"width": width, "height": height, "blurhash": _blurhash(thumb)}
    return facts, _webp(thumb), _webp(view)


def _upright_size(opened: Image.Image) -> tuple[int, int]:
    turned = opened.getexif().get(_ORIENTATION, 1) >= _FIRST_TURNED
    return (opened.height, opened.width) if turned else opened.size


def _harmless(opened: Image.Image) -> Image.Image:
    """Shrink, turn upright, paint on white, and keep nothing but pixels."""
    opened.thumbnail((VIEW_PX, VIEW_PX))
    upright = ImageOps.exif_transpose(opened)
    plain = _on_white(_in_srgb(upright))
    return Image.frombytes("RGB", plain.size, plain.tobytes())


def _in_srgb(picture: Image.Image) -> Image.Image:
    """Colours as screens show them: the profile that explained them is left behind."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in {"RGB", "CMYK"}:
        return picture
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        turned = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return picture
    return turned or picture


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture.convert("RGBA"))
    return ground.convert("RGB")


def _blurhash(picture: Image.Image) -> str:
    tiny = picture.resize((32, max(1, min(64, round(32 * picture.height / picture.width)))))
    raw = tiny.tobytes()
    pixels = list(zip(raw[::3], raw[1::3], raw[2::3], strict=True))
    return blurhash.encode(pixels, tiny.width, tiny.height)


def _webp(picture: Image.Image) -> bytes:
    kept = BytesIO()
    picture.save(kept, "WEBP", quality=80, method=4)
    return kept.getvalue()


def main() -> None:
    most_pixels = int(sys.argv[1])
    limit()
    content = sys.stdin.buffer.read()
    thumb = view = b""
    try:
        facts, thumb, view = derive(content, most_pixels)
    except Undecodable as reason:
        facts = {"why": str(reason)}
    except MemoryError:
        facts = {"why": "memory"}
    head = json.dumps(facts | {"thumb": len(thumb), "view": len(view)}).encode() + b"\n"
    sys.stdout.buffer.write(head + thumb + view)


if __name__ == "__main__":
    main()
