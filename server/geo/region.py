"""Regions as running processes see them: road data, basemap and gazetteer in a folder that changes only as a whole.

<regions_dir>/.in-use            the name of the region in use
<regions_dir>/<name>/current -> <build>
<regions_dir>/<name>/<build>/{manifest.json, extract.osm.pbf, basemap.pmtiles, addresses.json, roads/roads.osrm.*}
<regions_dir>/<name>/<build>/{roads-<part>/roads.osrm.*, speeds/<part>.csv} for each part of the week that was learnt
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from server.core.logging import logger
from server.geo.addresses import Address, read_addresses
from server.geo.dayparts import DayPart, LearntSpeeds
from server.geo.domain import Bounds, Point
from server.geo.errors import RegionDamaged, RegionProblem, RegionUnknown
from server.geo.tools import sha256_of

IN_USE, CURRENT, MANIFEST = ".in-use", "current", "manifest.json"
ROADS, BASEMAP, ADDRESSES, EXTRACT = "roads/roads.osrm", "basemap.pmtiles", "addresses.json", "extract.osm.pbf"

log = logger(__name__)


def learnt_roads(part: DayPart) -> str:
    return f"roads-{part}/roads.osrm"


def learnt_speeds(part: DayPart) -> str:
    return f"speeds/{part}.csv"


@dataclass(frozen=True, slots=True)
class LearntRoads:
    """Road data weighed by what was learnt for one part of the week."""

    base: Path
    learnt: LearntSpeeds


@dataclass(frozen=True, slots=True)
class Region:
    """A prepared region: its bounds in degrees and the files of one build."""

    name: str
    bounds: Bounds
    folder: Path
    manifest: dict[str, Any]

    @classmethod
    def load(cls, regions_dir: Path, name: str | None = None) -> Self | None:
        """The named region, else the one in use; None when none is prepared.

        Raises RegionUnknown for a name that is not prepared, and RegionDamaged when files are missing or cut short.
        """
        build = find_build(regions_dir, name)
        if build is not None:
            return cls.open(build)
        if name is not None:
            raise RegionUnknown(name=name)
        return None

    @classmethod
    def open(cls, build: Path) -> Self:
        """Raises RegionDamaged."""
        name = build.parent.name
        try:
            manifest = json.loads((build / MANIFEST).read_text(encoding="utf-8"))
            sizes = {path: (build / path).stat().st_size for path in manifest["files"]}
        except (OSError, ValueError, KeyError) as problem:
            raise RegionDamaged(name=name, damage=problem) from problem
        changed = [path for path, size in sizes.items() if size != manifest["files"][path]["bytes"]]
        if changed:
            raise RegionDamaged(name=name, damage=f"{changed[0]} has another size")
        return cls(name, Bounds(*manifest["bounds"]), build, manifest)

    @property
    def build(self) -> str:
        """Changes whenever any file of the region does: fit for cache keys."""
        return self.folder.name

    @property
    def osrm_base(self) -> Path:
        """Road data at the speeds of empty roads."""
        return self.folder / ROADS

    @property
    def basemap(self) -> Path:
        return self.folder / BASEMAP

    @property
    def dayparts(self) -> Mapping[DayPart, LearntRoads]:
        """The parts of the week that were learnt; for the others times are free-flow times the factor of the hour."""
        return {
            DayPart(part): LearntRoads(
                self.folder / learnt_roads(DayPart(part)),
                LearntSpeeds(
                    self.folder / learnt_speeds(DayPart(part)), told["factor"], told["p90_over_median"], told["trips"]
                ),
            )
            for part, told in self.manifest.get("dayparts", {}).items()
        }

    @property
    def places(self) -> list[Point]:
        """The places on roads that its drives were tried between."""
        return [Point(lon, lat) for lon, lat in self.manifest["places"]]

    def addresses(self) -> list[Address]:
        """The gazetteer, sorted by street and number: addresses, and named streets without a number."""
        return read_addresses(self.folder / ADDRESSES)

    def verify(self) -> None:
        """Read every file and compare its hash; seconds on a large region. Raises RegionDamaged."""
        for path, listed in self.manifest["files"].items():
            if sha256_of(self.folder / path) != listed["sha256"]:
                raise RegionDamaged(name=self.name, damage=f"{path} has another content")


def find_build(regions_dir: Path, name: str | None = None) -> Path | None:
    """The present build's folder of the named region, else of the one in use, else of the one prepared last."""
    wanted = name or _chosen(regions_dir)
    build = build_in_use_of(regions_dir / wanted) if wanted else None
    if build or name:
        return build
    prepared = sorted(regions_dir.glob(f"*/{CURRENT}"), key=lambda link: link.lstat().st_mtime_ns)
    return build_in_use_of(prepared[-1].parent) if prepared else None


def build_in_use_of(home: Path) -> Path | None:
    """The present build of the region with this home; None where there is none."""
    try:
        return home / (home / CURRENT).readlink()
    except OSError:
        return None


def _chosen(regions_dir: Path) -> str | None:
    try:
        return (regions_dir / IN_USE).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


class RegionInUse:
    """The region of this moment, for processes that go on running while regions are prepared, chosen and learnt."""

    def __init__(self, regions_dir: Path, name: str | None = None) -> None:
        """Raise what `Region.load` raises: a process does not begin with what it was not told to use."""
        self._regions_dir = regions_dir
        self._name = name
        self._region = Region.load(regions_dir, name)
        self._looked_at = self._region.folder if self._region else None

    def now(self) -> Region | None:
        """Answer what is in use now; a link is read, files only when it has changed.

        A region that can't be opened does not take the place of one that could.
        """
        build = find_build(self._regions_dir, self._name)
        if build != self._looked_at:
            self._looked_at = build
            self._change_to(build)
        return self._region

    def _change_to(self, build: Path | None) -> None:
        try:
            self._region = Region.open(build) if build else None
            log.info("region in use", build=str(build and build.relative_to(build.parents[1])))
        except RegionProblem as problem:
            log.warning("region can't be used; the one before stays", problem=str(problem))
