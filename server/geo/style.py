"""The MapLibre style of the basemap: calm land, soft roads, readable labels, and nothing fetched from elsewhere.

There is no `glyphs` address: MapLibre then draws every label, Chinese included, with fonts of the reader's machine.
"""

from collections.abc import Sequence
from typing import Any

from server.geo.basemap import ATTRIBUTION
from server.geo.domain import Bounds

type Layer = dict[str, Any]
type Stops = Sequence[tuple[float, float]]  # (zoom, pixels)

SOURCE = "basemap"
_FONT = ["Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif"]

_LAND, _WATER, _WATERWAY, _BUILDING, _BUILDING_EDGE = "#f4f2ed", "#c3d7e2", "#b1cad8", "#e6e1d8", "#d8d2c6"
_BORDER, _RAIL, _PATH = "#a89fae", "#c5c1bb", "#d3cabb"
_INK, _SOFT_INK, _STREET_INK, _WATER_INK, _HALO = "#3d4650", "#6b737c", "#767067", "#5f8298", "#fbfaf7"

_LANDUSE = {
    "residential": "#f0ede6",
    "commercial": "#f1eae3",
    "industrial": "#ebe8e4",
    "school": "#f0ebdc",
    "hospital": "#f3e6e2",
    "wood": "#d5e1cb",
    "scrub": "#dee5d2",
    "grass": "#e0e9d4",
    "park": "#d9e7cd",
    "cemetery": "#dbe3d3",
    "pitch": "#d6e5cf",
    "farmland": "#eef0e0",
    "wetland": "#dbe6e0",
    "sand": "#f1e9d2",
    "rock": "#e7e4df",
    "glacier": "#eaf2f5",
}

# class, first zoom, line, edge, widths: from the least to the most important, so that the latter lie on top
_ROADS: Sequence[tuple[str, float, str, str, Stops]] = (
    ("service", 13, "#fdfcfa", "#e0dbd2", ((13, 0.6), (15, 1.8), (18, 9))),
    ("residential", 12, "#ffffff", "#dcd6cc", ((12, 0.8), (14, 2.4), (16, 7), (18, 18))),
    ("tertiary", 11, "#ffffff", "#d6cfc3", ((11, 0.8), (14, 3.6), (16, 9), (18, 22))),
    ("secondary", 9, "#fdf6e3", "#d9ccaf", ((9, 0.7), (12, 2), (14, 4.4), (16, 11), (18, 25))),
    ("primary", 8, "#fbeccb", "#d8c393", ((8, 0.8), (12, 2.6), (14, 5.2), (16, 12), (18, 28))),
    ("trunk", 6, "#f9e0b8", "#d5b581", ((6, 0.8), (12, 3.2), (14, 5.8), (16, 13), (18, 30))),
    ("motorway", 5, "#f6d3a6", "#cfa46c", ((5, 0.8), (12, 3.8), (14, 6.4), (16, 14), (18, 32))),
)


def style(base_url: str, bounds: Bounds, language: str) -> dict[str, Any]:
    """A MapLibre GL style whose one source is `{base_url}/basemap.pmtiles`, shown by the `pmtiles` protocol.

    `base_url` has no slash at its end. `language` is a tag such as `en` or `zh-CN`: places with a name in it are
    labelled so, others with their local name.
    """
    return {
        "version": 8,
        "name": "Callout",
        "center": [bounds.centre.lon, bounds.centre.lat],
        "zoom": 12,
        "sources": {
            SOURCE: {
                "type": "vector",
                "url": f"pmtiles://{base_url}/basemap.pmtiles",
                "attribution": ATTRIBUTION,
            }
        },
        "layers": [*_ground(), *_road_lines(), *_overlays(), *_labels(_name_in(language))],
    }


def _ground() -> list[Layer]:
    colour = ["match", ["get", "class"], *(part for pair in _LANDUSE.items() for part in pair), _LAND]
    built_up = ["in", ["get", "class"], ["literal", ["residential", "commercial", "industrial", "school", "hospital"]]]
    area = ["==", ["geometry-type"], "Polygon"]
    return [
        {"id": "land", "type": "background", "paint": {"background-color": _LAND}},
        _fill("built-up", "landuse", colour, filter=built_up),
        _fill("green", "landuse", colour, filter=["!", built_up]),
        _line("waterway", "water", _WATERWAY, ((8, 0.5), (14, 2), (18, 8)), filter=["!", area]),
        _fill("water", "water", _WATER, filter=area),
        _fill("buildings", "buildings", _BUILDING, minzoom=13, outline=_BUILDING_EDGE),
    ]


def _road_lines() -> list[Layer]:
    """Tunnels dashed underneath, then all edges, then all surfaces: crossings of two streets stay open."""
    open_air, below = ["!", ["has", "tunnel"]], ["has", "tunnel"]
    tunnels, edges, surfaces = [], [], []
    for kind, zoom, colour, edge, widths in _ROADS:
        of_kind = ["==", ["get", "class"], kind]
        lined = [(at, width + min(2.4, 1 + width / 12)) for at, width in widths]
        tunnel = _line(f"tunnel-{kind}", "roads", edge, widths, filter=["all", of_kind, below], minzoom=zoom)
        tunnel["paint"] |= {"line-dasharray": [2, 1.5], "line-opacity": 0.45}
        tunnel["layout"]["line-cap"] = "butt"
        tunnels.append(tunnel)
        here = ["all", of_kind, open_air]
        edges.append(_line(f"edge-{kind}", "roads", edge, lined, filter=here, minzoom=max(zoom, 10)))
        surfaces.append(_line(f"road-{kind}", "roads", colour, widths, filter=here, minzoom=zoom))
    path = _line("path", "roads", _PATH, ((13, 0.6), (16, 1.4), (18, 3)), filter=_open_class("path"), minzoom=14)
    path["paint"]["line-dasharray"] = [2, 1.2]
    path["layout"]["line-cap"] = "butt"
    rail = _line("rail", "roads", _RAIL, ((10, 0.6), (14, 1.4), (18, 3.5)), filter=_open_class("rail"), minzoom=10)
    return [*tunnels, path, *edges, rail, *surfaces]


def _overlays() -> list[Layer]:
    border = _line("boundary", "boundary", _BORDER, ((2, 0.6), (10, 1.2), (16, 2)), filter=["<=", ["get", "level"], 8])
    border["paint"] |= {"line-dasharray": [4, 2, 1, 2], "line-opacity": 0.7}
    border["layout"]["line-cap"] = "butt"
    return [border]


def _labels(name: list[Any]) -> list[Layer]:
    size_by_rank = ["match", ["get", "rank"], 1, 20, 2, 19, 3, 16, 4, 14, 12]
    larger_by_rank = ["match", ["get", "rank"], 1, 26, 2, 24, 3, 20, 4, 17, 14]
    places = _label("place-labels", "places", name, _INK)
    places["layout"] |= {
        "text-size": ["interpolate", ["linear"], ["zoom"], 8, size_by_rank, 15, larger_by_rank],
        "symbol-sort-key": ["get", "rank"],
        "text-max-width": 8,
    }
    places["maxzoom"] = 17
    places["filter"] = ["any", [">", ["get", "rank"], 1], ["<", ["zoom"], 9]]  # close by, a country's name is noise
    streets = _label("street-labels", "roads", name, _STREET_INK, minzoom=14)
    streets["filter"] = ["all", ["has", "name"], ["!", ["in", ["get", "class"], ["literal", ["path", "rail"]]]]]
    streets["layout"] |= {
        "symbol-placement": "line",
        "symbol-spacing": 320,
        "text-size": ["interpolate", ["linear"], ["zoom"], 14, 10.5, 18, 14],
        "text-max-angle": 30,
    }
    lakes = _label("water-labels", "water", name, _WATER_INK, minzoom=12)
    lakes["filter"] = ["all", ["==", ["geometry-type"], "Polygon"], ["!=", ["get", "class"], "pool"]]
    lakes["layout"] |= {"text-size": 12, "text-max-width": 7}
    rivers = _label("waterway-labels", "water", name, _WATER_INK, minzoom=13)
    rivers["filter"] = ["all", ["!=", ["geometry-type"], "Polygon"], ["has", "name"]]
    rivers["layout"] |= {"text-size": 11, "symbol-placement": "line", "symbol-spacing": 420}
    numbers = _label("housenumbers", "housenumbers", ["get", "number"], _SOFT_INK, minzoom=17)
    numbers["layout"]["text-size"] = 10.5
    return [numbers, rivers, streets, lakes, places]


def _name_in(language: str) -> list[Any]:
    """Only Chinese names are kept beside the local ones; everything else is read as written on the signs."""
    if language.lower().startswith("zh"):
        return ["coalesce", ["get", "name:zh"], ["get", "name"]]
    return ["get", "name"]


def _open_class(kind: str) -> list[Any]:
    return ["all", ["==", ["get", "class"], kind], ["!", ["has", "tunnel"]]]


def _fill(
    name: str,
    layer: str,
    colour: str | list[Any],
    *,
    filter: list[Any] | None = None,  # noqa: A002 - MapLibre's word
    minzoom: float = 0,
    outline: str | None = None,
) -> Layer:
    paint = {"fill-color": colour} | ({"fill-outline-color": outline} if outline else {"fill-antialias": False})
    drawn: Layer = {"id": name, "type": "fill", "source": SOURCE, "source-layer": layer, "minzoom": minzoom}
    return drawn | {"paint": paint} | ({"filter": filter} if filter else {})


def _line(
    name: str,
    layer: str,
    colour: str,
    widths: Stops,
    *,
    filter: list[Any],  # noqa: A002 - MapLibre's word
    minzoom: float = 0,
) -> Layer:
    steps = [part for zoom, width in widths for part in (zoom, _narrower_on_ramps(width))]
    return {
        "id": name,
        "type": "line",
        "source": SOURCE,
        "source-layer": layer,
        "minzoom": minzoom,
        "filter": filter,
        "layout": {"line-cap": "round", "line-join": "round"},
        "paint": {"line-color": colour, "line-width": ["interpolate", ["exponential", 1.4], ["zoom"], *steps]},
    }


def _narrower_on_ramps(width: float) -> list[Any]:
    return ["case", ["has", "ramp"], round(0.55 * width, 2), width]


def _label(name: str, layer: str, text: list[Any], colour: str, *, minzoom: float = 0) -> Layer:
    return {
        "id": name,
        "type": "symbol",
        "source": SOURCE,
        "source-layer": layer,
        "minzoom": minzoom,
        "layout": {"text-field": text, "text-font": _FONT},
        "paint": {"text-color": colour, "text-halo-color": _HALO, "text-halo-width": 1.4},
    }
