"""From a document to a PDF, with typst. Pure in its arguments: the same document and pictures give the same bytes.

The PDF carries its document's hash and a code by which anybody can check it. A seal by the organisation's key
(PAdES) and a trusted time-stamp (RFC 3161) belong on the finished bytes and are a later step of their own.
"""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typst

from server.confirmation.domain import Document, Language, Stroke, instant
from server.confirmation.drawing import qr_svg, signature_svg
from server.confirmation.errors import FontsMissing
from server.confirmation.presentation import Printing
from server.media.domain import Gap

_TEMPLATE = Path(__file__).with_name("template.typ")
_ROOT = Path(__file__).parents[2]

# Chinese is printed only with a font that has it: Debian's fonts-noto-cjk, or what ./do brought by npm.
_FONT_FOLDERS = (
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/noto-cjk",
    "/usr/share/fonts/google-noto-sans-cjk-fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    str(_ROOT / ".state" / "fonts"),
)
_FONT_FILES = ("NotoSansCJK*", "NotoSansSC*", "NotoSansCJKsc*")
_REGIONS = {Language.EN: "gb", Language.ZH: "cn"}


def fonts_folder() -> Path:
    """Answer the first folder with a Noto Sans that has Chinese. `CALLOUT_FONTS` comes first. Raises FontsMissing."""
    for folder in filter(None, [os.environ.get("CALLOUT_FONTS"), *_FONT_FOLDERS]):
        path = Path(folder).expanduser()
        if any(next(path.rglob(pattern), None) for pattern in _FONT_FILES):
            return path
    raise FontsMissing


def render_pdf(
    document: Document,
    *,
    version: int,
    code: str,
    document_hash: str,
    verify_url: str,
    strokes: Sequence[Stroke] = (),
    thumbnails: Mapping[str, bytes] | None = None,
    gaps: Mapping[str, Gap] | None = None,
) -> bytes:
    """Lay out a report. `thumbnails` are JPEGs by the sha256 of their photo; others leave a frame that says why."""
    view = Printing(document).view()
    pictures = {f"photo-{sha256}.jpg": small for sha256, small in (thumbnails or {}).items()}
    language = Language(document["language"])
    dated = _dated(document)
    view |= {
        "language": language.value,
        "region": _REGIONS[language],
        "version": str(version),
        "code": code,
        "document_hash": document_hash,
        "date": _parts(dated),
        "photos": [_shown(photo, pictures, view["words"], gaps or {}) for photo in view["photos"]],
    }
    files = {
        "main.typ": _TEMPLATE.read_bytes(),
        "report.json": json.dumps(view, ensure_ascii=False).encode(),
        "verify.svg": qr_svg(verify_url),
        "signature.svg": signature_svg(strokes),
        **pictures,
    }
    return _compile(files, dated)


def _compile(files: Mapping[str, bytes], dated: datetime) -> bytes:
    with TemporaryDirectory(prefix="callout-report-") as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        # The template reads nothing outside of this folder, and there is no package cache to reach for.
        return typst.compile(
            Path(folder) / "main.typ",
            root=Path(folder),
            format="pdf",
            font_paths=_fonts(),
            timestamp=int(dated.timestamp()),
        )


def _shown(
    photo: dict[str, Any], pictures: Mapping[str, bytes], words: Mapping[str, str], gaps: Mapping[str, Gap]
) -> dict[str, Any]:
    name = f"photo-{photo['sha256']}.jpg"
    gap = gaps.get(photo["sha256"], "not_printed")
    return photo | {"file": name if name in pictures else None, "gap": words[f"photo.{gap}"]}


def _dated(document: Document) -> datetime:
    """The report's own date: when it was signed, closed or, failing both, reported."""
    signature = document["signature"]
    return instant((signature and signature["at"]) or document["closed_at"] or document["order"]["reported_at"])


def _parts(at: datetime) -> dict[str, int]:
    named = ("year", "month", "day", "hour", "minute", "second")
    return {name: getattr(at.astimezone(UTC), name) for name in named}


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[fonts_folder()])
