"""The sea of a region, made from the coastline inside its extract: land lies left of every coastline."""

from collections.abc import Iterable, Iterator, Sequence

import shapely
from shapely.geometry import LineString, Polygon

from server.geo.domain import Bounds

type Line = Sequence[tuple[float, float]]

_BESIDE = 1e-6  # degrees, about 10 cm: near enough to a coast to be on its side
_HEADING = 0.01  # degrees, about 1 km: harbour walls should not decide where the coast goes


def sea_of(coastline: Iterable[Line], bounds: Bounds) -> list[Polygon]:
    """Polygons of sea within the bounds.

    A coast that ends inside the bounds goes on straight to their edge: the extract was cut there, and where the true
    coast runs is not in the file.
    """
    lines = [LineString(line) for line in coastline if len(line) > 1]
    if not lines:
        return []
    box = shapely.box(bounds.west, bounds.south, bounds.east, bounds.north)
    ends = [end for coast in _joined(lines) if not coast.is_closed for end in _extended(coast, box)]
    faces = [
        face
        for face in shapely.polygonize([shapely.union_all([*lines, *ends, box.exterior])]).geoms
        if isinstance(face, Polygon) and box.contains(face.representative_point())
    ]
    return [face for face, votes in zip(faces, _votes(faces, lines), strict=True) if votes > 0]


def _joined(lines: Sequence[LineString]) -> list[LineString]:
    return list(shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines), directed=True)))


def _extended(coast: LineString, box: Polygon) -> Iterator[LineString]:
    """From both ends of an open coast straight on beyond the box."""
    far = box.length
    for line in (coast, coast.reverse()):
        tip, inland = shapely.Point(line.coords[0]), line.interpolate(min(_HEADING, line.length / 2))
        gone = tip.distance(inland)
        if gone and box.contains(tip):
            east, north = (tip.x - inland.x) / gone, (tip.y - inland.y) / gone
            yield LineString([(tip.x, tip.y), (tip.x + far * east, tip.y + far * north)])


def _votes(faces: Sequence[Polygon], coast: Sequence[LineString]) -> list[float]:
    """For each face the length of coast that has it on the right (sea), less what has it on the left (land)."""
    votes = [0.0] * len(faces)
    index = shapely.STRtree(faces)
    for line in coast:
        for (west, south), (east, north) in zip(line.coords[:-1], line.coords[1:], strict=True):
            length = ((east - west) ** 2 + (north - south) ** 2) ** 0.5
            if not length:
                continue
            aside = _BESIDE * (north - south) / length, -_BESIDE * (east - west) / length
            for side in (1, -1):
                beside = shapely.Point((west + east) / 2 + side * aside[0], (south + north) / 2 + side * aside[1])
                for face in index.query(beside, predicate="within"):
                    votes[face] += side * length
    return votes
