"""Valhalla's tiles of a region, made beside OSRM's data where the package (the extra `valhalla`) is installed."""

import importlib.util
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from server.geo.tools import run

TILES = "valhalla"  # a folder of the build


def installed_version() -> str:
    """Empty where the package is not installed."""
    return version("pyvalhalla") if importlib.util.find_spec("valhalla") else ""


def configuration(tiles: Path) -> dict[str, Any]:
    """What Valhalla needs to know to build or open tiles; limits are ours, not those of a public server."""
    from valhalla.config import get_config

    told: dict[str, Any] = get_config(tile_extract="", tile_dir=str(tiles), verbose=False)
    for unused in ("admin", "timezone", "landmarks", "traffic_extract", "transit_dir", "transit_feeds_dir"):
        told["mjolnir"][unused] = ""
    told["service_limits"]["auto"]["max_matrix_location_pairs"] = 1_000_000
    return told


def build_tiles(extract: Path, tiles: Path) -> None:
    """Raises ToolFailed."""
    tiles.mkdir()
    told = tiles / "build.json"
    told.write_text(json.dumps(configuration(tiles)))
    # Its own starter looks for programs on PATH, where those of an environment need not be.
    run([_program(), "-c", told, extract], called="valhalla_build_tiles")
    told.unlink()


def _program() -> Path:
    import valhalla

    return Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"
