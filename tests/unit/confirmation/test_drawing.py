"""Pictures on the report: small, upright, without metadata, and never a way in."""

import io

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


def test_a_copy_is_printed_small_without_what_it_might_carry():
    exif = Exif()
    exif[0x010F] = "Secret Camera"
    small = opened(thumbnail(saved(Image.new("RGB", (1280, 960), "red"), "WEBP", exif=exif)))
    assert (small.format, max(small.size)) == ("JPEG", 900)
    assert not small.getexif()


def test_the_same_copy_gives_the_same_bytes():
    copy = saved(opened(a_photo().content), "WEBP")
    assert thumbnail(copy) == thumbnail(copy) is not None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        a_photo().content,
        saved(Image.new("RGB", (100, 100)), "WEBP")[:60],
        saved(Image.new("RGB", (1281, 10)), "WEBP"),
        saved(Image.new("L", (10, 10)), "GIF"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
    ids=["nothing", "text", "an original", "cut off", "larger than any copy", "gif", "svg"],
)
def test_what_is_no_small_copy_is_not_decoded(content):
    assert thumbnail(content) is None


def test_strokes_are_cropped_and_a_dot_stays_visible():
    drawn = signature_svg([((1000.0, 2000.0, 0.0), (1100.0, 2050.0, 10.0)), ((1050.0, 2000.0, 0.0),)]).decode()
    assert "M0.00 0.00 L100.00 50.00" in drawn
    assert "M50.00 0.00 L50.00 0.00" in drawn


def test_the_code_to_scan_is_a_plain_picture():
    assert qr_svg("https://callout.test/portal/v1/verify/" + "A" * 26).startswith(b"<svg")
