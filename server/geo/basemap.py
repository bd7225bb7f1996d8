"""The offline basemap: features of an extract, cut by tippecanoe into one PMTiles file."""

from collections.abc import Callable
from pathlib import Path

import shapely

from server.geo.domain import Bounds
from server.geo.extract import Survey, survey, write_feature
from server.geo.sea import sea_of
from server.geo.tools import run_script

ATTRIBUTION = "\N{COPYRIGHT SIGN} OpenStreetMap contributors"
DEEPEST_ZOOM = 15

_MARGIN = 0.1  # degrees of sea drawn beyond the bounds, so that the map's edge is not a blue rectangle


def build_basemap(extract: Path, target: Path, report: Callable[[str], None]) -> Survey:
    """Write `target` (PMTiles) and return what was found in the extract. Raises ExtractUnreadable and ToolFailed."""
    features = target.with_suffix(".geojsonl")
    report("Map: reading the extract")
    with features.open("w", encoding="utf-8") as file:
        found = survey(extract, file)
        for water in sea_of(found.coastline, _widened(found.bounds)):
            write_feature(file, "water", 0, shapely.to_geojson(water), {"class": "sea"})
    report(f"Map: drawing {found.features:,} features")
    _draw(features, target, found.bounds)
    features.unlink()
    return found


def _draw(features: Path, target: Path, bounds: Bounds) -> None:
    """Zooms are decided feature by feature (`layers.py`), so tippecanoe may thin out only what overfills a tile."""
    clip = ",".join(str(edge) for edge in _widened(bounds).as_list())
    run_script(
        "tippecanoe",
        "--quiet",
        "--force",
        "--read-parallel",
        f"--output={target}",
        f"--temporary-directory={target.parent}",
        "--minimum-zoom=0",
        f"--maximum-zoom={DEEPEST_ZOOM}",
        f"--clip-bounding-box={clip}",
        "--drop-rate=1",
        "--drop-densest-as-needed",
        "--no-tiny-polygon-reduction-at-maximum-zoom",
        f"--attribution={ATTRIBUTION}",
        features,
    )


def _widened(bounds: Bounds) -> Bounds:
    return Bounds(
        max(-180, bounds.west - _MARGIN),
        max(-85, bounds.south - _MARGIN),
        min(180, bounds.east + _MARGIN),
        min(85, bounds.north + _MARGIN),
    )
