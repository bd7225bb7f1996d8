"""What regions lie here, for people: which is in use, how old and big each is, what was found when it was tried."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from server.geo.errors import RegionDamaged
from server.geo.region import CURRENT, Region, find_build


@dataclass(frozen=True, slots=True)
class Listed:
    """A region in the list; `region` is None where its files can't be used, `damage` says why."""

    name: str
    in_use: bool
    since: datetime
    size: int  # bytes on the disk, of all builds kept
    region: Region | None
    damage: str = ""


def regions_here(regions_dir: Path, configured: str | None = None) -> list[Listed]:
    """By name. `configured` is the region that the settings name, if they do."""
    used = find_build(regions_dir, configured)
    return [_listed(link, used) for link in sorted(regions_dir.glob(f"*/{CURRENT}"))]


def _listed(link: Path, used: Path | None) -> Listed:
    build = link.parent / link.readlink()
    since = datetime.fromtimestamp(link.lstat().st_mtime, UTC)
    size = _bytes_in(link.parent)
    try:
        return Listed(link.parent.name, build == used, since, size, Region.open(build))
    except RegionDamaged as damaged:
        return Listed(link.parent.name, build == used, since, size, None, str(damaged))


def _bytes_in(folder: Path) -> int:
    """Files that several builds share are counted once."""
    states = (path.lstat() for path in folder.rglob("*"))
    return sum({state.st_ino: state.st_size for state in states}.values())
