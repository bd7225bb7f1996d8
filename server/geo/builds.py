"""Builds of a region in their home folder: made beside the present one, switched to in one step, swept when old."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp

from server.geo.errors import RegionStillUsed, RegionUnknown
from server.geo.region import CURRENT, IN_USE, Region, build_in_use_of, find_build
from server.geo.tools import alone_in, sha256_of, writing_in

_UNFINISHED = ".building-"

type Report = Callable[[str], None]


@contextmanager
def builder_of(home: Path, report: Report) -> Iterator[None]:
    """Be the only one who builds this region. Raises RegionUnwritable for files that can't be written."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with (
        writing_in(home.parent),
        alone_in(home, lambda: report(f"Waiting: {home.name} is being prepared by another process")),
    ):
        for killed in home.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(killed, ignore_errors=True)
        yield


def build_in(home: Path, order: str, fill: Callable[[Path], None]) -> Path:
    """Let `fill` write everything into a fresh folder, which gets its name when that succeeded.

    Names are cache keys: what is built anew never has a name that was used before.
    """
    fresh = Path(mkdtemp(prefix=_UNFINISHED, dir=home))
    try:
        with writing_in(home):  # asked before the folder is gone: how much room was left
            fill(fresh)
        fresh.chmod(0o755)  # mkdtemp keeps others out; the server may run as another user
        return fresh.rename(home / f"{order}-{fresh.name.removeprefix(_UNFINISHED)}")
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def fingerprints(folder: Path) -> dict[str, dict[str, str | int]]:
    """Hash and size of every file, by its path in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {"sha256": sha256_of(path), "bytes": path.stat().st_size} for path in files
    }


def switch(home: Path, build: Path) -> None:
    """Point `current` at the build in one step. The build before stays for processes that still have it open."""
    before = build_in_use_of(home)
    if before == build:
        return
    fresh = home / ".current"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(build.name)
    fresh.replace(home / CURRENT)
    for old in home.iterdir():
        if old.is_dir() and not old.is_symlink() and old not in {build, before}:
            shutil.rmtree(old, ignore_errors=True)


def choose(regions_dir: Path, name: str) -> None:
    """Note in one step which region is in use."""
    with NamedTemporaryFile("w", dir=regions_dir, prefix=".", encoding="utf-8", delete=False) as fresh:
        fresh.write(name)
    Path(fresh.name).chmod(0o644)
    Path(fresh.name).replace(regions_dir / IN_USE)


def use_region(regions_dir: Path, name: str) -> Region:
    """Let running processes change to another prepared region. Raises RegionUnknown and RegionDamaged."""
    region = Region.open(present_build(regions_dir, name))
    with writing_in(regions_dir):
        choose(regions_dir, name)
    return region


def remove_region(regions_dir: Path, name: str, *, configured: str | None = None, anyway: bool = False) -> None:
    """Delete a region's files; one that is in use only when told so. Raises RegionUnknown and RegionStillUsed.

    `configured` is the region that the settings name, if they do.
    """
    home = present_build(regions_dir, name).parent
    used = {build for build in (find_build(regions_dir), find_build(regions_dir, configured)) if build}
    if not anyway and home in {build.parent for build in used}:
        raise RegionStillUsed(name=name)
    with writing_in(regions_dir), alone_in(home):
        (home / CURRENT).unlink(missing_ok=True)
        shutil.rmtree(home)


def present_build(regions_dir: Path, name: str) -> Path:
    """The folder of a region's present build. Raises RegionUnknown."""
    build = find_build(regions_dir, name)
    if build is None:
        raise RegionUnknown(name=name)
    return build
