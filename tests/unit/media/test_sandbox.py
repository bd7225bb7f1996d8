"""Pictures nobody trusts: small copies of the good ones, a word about the others, never more than the limits."""

import io
import random
import struct
import time
import zlib

import pytest
from PIL import Image, ImageCms

from server.media import sandbox
from server.media.sandbox import Derived, Undecodable


def jpeg(width: int = 1600, height: int = 1000, **options) -> bytes:
    small = Image.frombytes("RGB", (16, 10), random.Random(4).randbytes(480))
    kept = io.BytesIO()
    small.resize((width, height)).save(kept, "JPEG", **options)
    return kept.getvalue()


def png(width: int, height: int, rows: bytes, *more: tuple[bytes, bytes], depth: int = 1, colour: int = 0) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", head), *more, (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*it) for it in chunks)


def zeros(size: int) -> bytes:
    """Compress that many zero bytes without having them."""
    packer = zlib.compressobj(9)
    block = bytes(1_000_000)
    packed = [packer.compress(block[: min(len(block), size - done)]) for done in range(0, size, len(block))]
    return b"".join([*packed, packer.flush()])


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


async def test_a_photo_becomes_two_small_pictures_and_a_blur():
    made = await sandbox.derive(jpeg())
    assert isinstance(made, Derived)
    assert (made.width, made.height) == (1600, 1000)
    assert (opened(made.view).size, opened(made.thumb).size) == ((1280, 800), (320, 200))
    assert opened(made.view).format == opened(made.thumb).format == "WEBP"
    assert len(made.blurhash) == 28


async def test_a_small_photo_is_not_made_larger():
    made = await sandbox.derive(jpeg(200, 120))
    assert isinstance(made, Derived)
    assert opened(made.view).size == opened(made.thumb).size == (200, 120)


async def test_it_is_upright_and_carries_nothing_but_pixels():
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: turn it to the right
    exif[0x010F] = "Telltale"
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = jpeg(exif=exif.tobytes(), icc_profile=profile, comment=b"<script>alert(1)</script>")
    made = await sandbox.derive(content)
    assert isinstance(made, Derived)
    assert (made.width, made.height) == (1000, 1600)
    assert opened(made.view).size == (800, 1280)
    for small in (made.view, made.thumb):
        assert not opened(small).getexif()
        assert set(opened(small).info) <= {"loop", "background", "timestamp", "duration"}
        assert not any(mark in small for mark in (b"Telltale", b"<script", b"EXIF", b"ICCP", b"XMP"))


async def test_transparent_becomes_white_and_grey_becomes_colour():
    kept = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(kept, "PNG")
    made = await sandbox.derive(kept.getvalue())
    assert isinstance(made, Derived)
    assert min(opened(made.view).convert("RGB").tobytes()) >= 250


async def test_a_heic_photo_is_read():
    from pillow_heif import from_pillow

    kept = io.BytesIO()
    from_pillow(Image.new("RGB", (640, 480), "orange")).save(kept, format="HEIF")
    made = await sandbox.derive(kept.getvalue())
    assert isinstance(made, Derived)
    assert opened(made.thumb).size == (320, 240)


NINE_HUNDRED_MEGAPIXELS = png(30_000, 30_000, zeros(30_000 * 3_751))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (NINE_HUNDRED_MEGAPIXELS, "too_many_pixels"),
        (png(8, 8, zeros(16), (b"zTXt", b"Comment\0\0" + zeros(80_000_000))), "bomb"),
        (jpeg()[:4000], "broken"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 500, "broken"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "broken"),
        (b"GIF89a/*" + b"\0" * 100 + b"*/=alert(1)", "broken"),
        (b"", "broken"),
    ],
    ids=["900 MP", "zTXt of 80 MB", "truncated", "only a head", "svg", "gif and script", "empty"],
)
async def test_what_can_t_be_shown_is_named(content, why):
    assert await sandbox.derive(content) == Undecodable(why)


async def test_a_picture_that_passes_the_pixel_limit_ends_at_the_memory_limit():
    begun = time.monotonic()
    ended = await sandbox.derive(png(60_000, 30_000, zeros(30_000 * 7_501)), most_pixels=10**12)
    assert ended == Undecodable("memory")
    assert time.monotonic() - begun < 30


async def test_a_decoder_that_takes_too_long_is_ended():
    ended = await sandbox.derive(jpeg(), wall_seconds=0.01)
    assert ended == Undecodable("overtime")
    assert ended.may_pass
