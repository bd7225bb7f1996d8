"""Road data weighed by what own drives taught, for each part of the week: a new build of the same region."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from server.geo.builds import Report, build_in, builder_of, fingerprints, present_build, switch
from server.geo.dayparts import DayPart, LearntSpeeds
from server.geo.domain import Point
from server.geo.errors import ExtractNotKept
from server.geo.region import MANIFEST, ROADS, Region, learnt_roads, learnt_speeds
from server.geo.roads import customise_roads

type Learnt = Mapping[DayPart, LearntSpeeds]


def recustomise(region: Region, learnt: Learnt, report: Report) -> Region:
    """Give the region's present build exactly these parts of the week, and switch to the result.

    Blocking: seconds, on large regions minutes. The files of speeds are copied. Raises RegionUnknown, RegionDamaged,
    ExtractNotKept, RoadsImplausible, ToolFailed and RegionUnwritable; then nothing has changed.
    """
    home = region.folder.parent
    with builder_of(home, report):
        present = Region.open(present_build(home.parent, region.name))
        if "order" not in present.manifest:  # prepared before roads could be taught
            raise ExtractNotKept(name=region.name)

        def fill(fresh: Path) -> None:
            _link_what_stays(present, fresh)
            told = weigh(fresh, learnt, present.places, report)
            manifest = {**present.manifest, "dayparts": told, "files": fingerprints(fresh)}
            write_manifest(fresh, manifest)

        build = build_in(home, present.manifest["order"], fill)
        switch(home, build)
        return Region.open(build)


def weigh(folder: Path, learnt: Learnt, places: Sequence[Point], report: Report) -> dict[str, Any]:
    """Write the road data of each part into a build that has its free-flow roads; what the manifest says of them."""
    told = {}
    for part, of_part in sorted(learnt.items()):
        report(f"Roads: weighing by what was learnt for the {part}")
        speeds = folder / learnt_speeds(part)
        speeds.parent.mkdir(exist_ok=True)
        shutil.copyfile(of_part.speeds, speeds)
        smoke = customise_roads(folder / ROADS, folder / learnt_roads(part), speeds, places)
        told[part.value] = {
            "factor": of_part.factor,
            "p90_over_median": of_part.p90_over_median,
            "trips": of_part.trips,
            "smoke_check": asdict(smoke),
        }
    return told


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """The last file of a build."""
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _link_what_stays(present: Region, fresh: Path) -> None:
    """Nothing writes into a file of a build, so builds may share them."""
    left_out = {learnt_speeds(part) for part in present.dayparts} | {MANIFEST}
    folders = {Path(learnt_roads(part)).parent for part in present.dayparts}
    for path in map(Path, present.manifest["files"]):
        if path.as_posix() not in left_out and path.parent not in folders:
            (fresh / path).parent.mkdir(exist_ok=True)
            os.link(present.folder / path, fresh / path)
