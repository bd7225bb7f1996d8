"""What can be wrong with a point, an extract of OpenStreetMap, or a region made from one."""

from server.core.errors import Kind, Problem


class PointOutOfRange(Problem):
    code = "geo.point_out_of_range"
    kind = Kind.MALFORMED
    sentence = "Longitude {lon} and latitude {lat} are not a place on Earth; send degrees in WGS-84, longitude first."


class NotAPoint(Problem):
    code = "geo.not_a_point"
    kind = Kind.MALFORMED
    sentence = 'This is not a GeoJSON point; send {{"type": "Point", "coordinates": [longitude, latitude]}}.'


class ImplausiblePause(Problem):
    code = "positions.implausible_pause"
    kind = Kind.REFUSED
    sentence = "A pause begins within the last week and lasts at most twelve hours; nothing was changed."


class NotAFence(Problem):
    code = "geo.not_a_fence"
    kind = Kind.REFUSED
    sentence = "This is no area for a fence ({why}); send a GeoJSON polygon in WGS-84 that encloses at least 400 m²."


class RegionProblem(Problem):
    """Base of what can stop a region from being prepared or loaded."""

    code = "region.problem"
    kind = Kind.UNAVAILABLE
    sentence = "The region can't be used."


class ImpossibleRegionName(RegionProblem):
    code = "region.impossible_name"
    kind = Kind.MALFORMED
    sentence = "A region's name has 1 to 40 of a-z, 0-9 and '-', starting with a letter or digit; got {name!r}."


class ExtractNotFound(RegionProblem):
    code = "region.extract_not_found"
    kind = Kind.NOT_FOUND
    sentence = "There is no file {path}; give the path of an OpenStreetMap extract (.osm.pbf)."


class ExtractUnreadable(RegionProblem):
    code = "region.extract_unreadable"
    kind = Kind.MALFORMED
    sentence = "{path} can't be read as an OpenStreetMap extract ({reason}); it may be cut short. Download it again."


class NoRoads(RegionProblem):
    code = "region.no_roads"
    kind = Kind.REFUSED
    sentence = "{path} holds no road that a car may drive; give an extract that covers where your engineers work."


class RoadsImplausible(RegionProblem):
    code = "region.roads_implausible"
    kind = Kind.REFUSED
    sentence = (
        "The road data built from {path} gives nonsense (mean {mean_kmh} km/h, {unreachable_percent} % of trips "
        "impossible), so it was not installed. Check the extract, then prepare the region again."
    )


class ToolFailed(RegionProblem):
    code = "region.tool_failed"
    kind = Kind.UNAVAILABLE
    sentence = "{tool} ended with code {exit_code} while preparing the region: {last_words}"


class RegionUnknown(RegionProblem):
    code = "region.unknown"
    kind = Kind.NOT_FOUND
    sentence = "No region {name!r} is prepared; `callout region add FILE.osm.pbf` prepares one."


class RegionDamaged(RegionProblem):
    code = "region.damaged"
    kind = Kind.UNAVAILABLE
    sentence = "The files of region {name!r} are not those its manifest lists ({damage}); prepare it again."


class RegionStillUsed(RegionProblem):
    code = "region.in_use"
    kind = Kind.CONFLICT
    sentence = (
        "Region {name!r} is in use. Use another first (`callout region use OTHER`), or add --anyway: the one prepared "
        "last takes its place; where there is none, drives are estimates and there is no map."
    )


class ExtractNotKept(RegionProblem):
    code = "region.extract_not_kept"
    kind = Kind.NOT_FOUND
    sentence = (
        "The extract that region {name!r} was made of is not kept here any more, or was changed. Give it again: "
        "callout region add FILE.osm.pbf --name {name}"
    )


class RegionUnwritable(RegionProblem):
    code = "region.unwritable"
    kind = Kind.UNAVAILABLE
    sentence = (
        "The region's files can't be written in {folder}: {reason} ({free_mb:,} MB free). What was in use is unchanged."
    )


class ValhallaNotBuilt(RegionProblem):
    code = "region.valhalla_not_built"
    kind = Kind.UNAVAILABLE
    sentence = (
        "Region {name!r} was prepared without Valhalla. Install callout[valhalla], then prepare it again: "
        "callout region rebuild {name}"
    )


class TravelServiceRuns(RegionProblem):
    code = "travel.runs_already"
    kind = Kind.CONFLICT
    sentence = "A travel service listens on {address} already; one answers for all processes of a machine."


class DemoExtractUnavailable(RegionProblem):
    code = "region.demo_extract_unavailable"
    kind = Kind.UNAVAILABLE
    sentence = (
        "The demo's map extract could not be fetched from the Python package index ({reason}). Check the network, or "
        "give any extract of your own (.osm.pbf)."
    )


class NotThisDevice(Problem):
    code = "positions.not_this_device"
    kind = Kind.FORBIDDEN
    sentence = "Positions can only be sent by the device that recorded them."


class NoRegion(RegionProblem):
    code = "region.none"
    kind = Kind.NOT_FOUND
    sentence = "No map region is prepared here; an administrator prepares one with `callout region add FILE.osm.pbf`."
