"""Pictures on the report: small, upright, without metadata, and never a way in."""

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.Image import Exif

from server.confirmation.drawing import qr_svg, signature_svg, thumbnail
from tests.factories.media import a_photo


def opened(content: bytes | None) -> Image.Image:
    assert content is not None
    return Image.open(io.BytesIO(content))


def saved(picture: Image.Image, form: str, **options) -> bytes:
    kept = io.BytesIO()
    picture.save(kept, form, **options)
    return kept.getvalue()


def test_a_large_photo_becomes_small_and_loses_its_place_and_camera():
    exif = Exif()
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(0x8825)[2] = (43.0, 44.0, 0.0)
    small = opened(thumbnail(saved(Image.new("RGB", (4000, 3000), "red"), "JPEG", exif=exif)))
    assert max(small.size) <= 900
    assert not small.getexif()


def test_a_photo_taken_sideways_is_shown_upright():
    exif = Exif()
    exif[0x0112] = 6
    assert opened(thumbnail(saved(Image.new("RGB", (400, 300)), "JPEG", exif=exif))).size == (300, 400)


def test_transparency_becomes_white():
    small = opened(thumbnail(saved(Image.new("RGBA", (10, 10), (255, 0, 0, 0)), "PNG")))
    assert min(small.convert("L").tobytes()) > 250


def test_the_same_photo_gives_the_same_bytes():
    assert thumbnail(a_photo().content) == thumbnail(a_photo().content)


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        a_photo().content[:200],
        png_claiming(30_000, 30_000),
        png_claiming(2**31 - 1, 2**31 - 1),
        saved(Image.new("L", (10, 10)), "GIF"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_what_cannot_be_shown_safely_is_left_out(content):
    assert thumbnail(content) is None


def test_strokes_are_cropped_and_a_dot_stays_visible():
    drawn = signature_svg([((1000.0, 2000.0, 0.0), (1100.0, 2050.0, 10.0)), ((1050.0, 2000.0, 0.0),)]).decode()
    assert "M0.00 0.00 L100.00 50.00" in drawn
    assert "M50.00 0.00 L50.00 0.00" in drawn


def test_the_code_to_scan_is_a_plain_picture():
    assert qr_svg("https://callout.test/portal/v1/verify/" + "A" * 26).startswith(b"<svg")
