"""What a file is, is said by its own bytes."""

import io

import pytest
from PIL import Image

from server.media.domain import HEAD_BYTES, sniff


@pytest.mark.parametrize(("form", "mime"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_pictures_are_known_by_their_head(form, mime):
    kept = io.BytesIO()
    Image.new("RGB", (4, 4)).save(kept, form)
    assert sniff(kept.getvalue()[:HEAD_BYTES]) == mime


def test_phones_heic_and_documents_are_known():
    assert sniff(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic") == "image/heic"
    assert sniff(b"%PDF-1.7\n") == "application/pdf"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"GIF89a",
        b"<svg xmlns",
        b"<!doctype html>",
        b"MZ\x90\x00",
        b"PK\x03\x04",
        b"\x00\x00\x00\x18ftypmp42",
        b"RIFF\x00\x00\x00\x00WAVE",
    ],
)
def test_everything_else_is_nothing_we_keep(head):
    assert sniff(head) is None
