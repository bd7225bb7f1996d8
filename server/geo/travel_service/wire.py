"""What goes over the socket: one question and one answer a connection, each a length and then plain binary.

Numbers are little-endian; points are longitude and latitude as float64; tables are numpy's own int32, row by row. The
service greets whoever connects with its version, so that an old one is never misunderstood.
"""

import asyncio
import struct
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from server.geo.domain import Point
from server.geo.errors import PointOutOfRange
from server.geo.journey import Integers, Matrix, Route, Snapped, Source
from server.geo.matching import Fix, Matched, Passage, SnappedFix

TILE = 100  # of tables: nothing but questions waits for one, so they are larger than elsewhere, 130 ms each
GREETING = b"callout-travel-1"
MOST_BYTES = 256_000_000  # a table of 4,500 x 4,500; more is a mistake

_LENGTH = struct.Struct("<I")
_ASKED_ROUTE = struct.Struct("<B5d")
_ASKED_TABLE = struct.Struct("<BdII")
_ASKED_SNAP = struct.Struct("<B2d")
_ASKED_MATCH = struct.Struct("<BI")
_ROUTE = struct.Struct("<BIIIB")
_TABLE = struct.Struct("<BII")
_SNAPPED = struct.Struct("<B2dIB")
_MATCHED = struct.Struct("<BdII")
_PASSAGE = np.dtype([("from", "<i8"), ("to", "<i8"), *((name, "<f8") for name in ("at", "took", "metres", "free"))])
_COORDINATES, _WHOLE = np.dtype("<f8"), np.dtype("<i4")
_SOURCES = (Source.ESTIMATE, Source.ROADS)

type Floats = NDArray[np.float64]


class Kind(IntEnum):
    ROUTE = 1
    TABLE = 2
    SNAP = 3
    MATCH = 4


ANSWERED, FAILED = 0, 1


class Garbled(Exception):  # noqa: N818 - errors are nouns here
    """What came over the socket is no question or answer of this version."""


@dataclass(frozen=True, slots=True)
class AskedRoute:
    origin: Point
    to: Point
    leaving: datetime


@dataclass(frozen=True, slots=True)
class AskedTable:
    origins: Sequence[Point]
    to: Sequence[Point]
    leaving: datetime


@dataclass(frozen=True, slots=True)
class AskedSnap:
    point: Point


@dataclass(frozen=True, slots=True)
class AskedMatch:
    fixes: Sequence[Fix]


type Question = AskedRoute | AskedTable | AskedSnap | AskedMatch


# -- frames ----------------------------------------------------------------------------------------------------------


def framed(content: bytes) -> bytes:
    return _LENGTH.pack(len(content)) + content


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Raises Garbled, and asyncio.IncompleteReadError where the other side left."""
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MOST_BYTES:
        raise Garbled
    return await reader.readexactly(length)


# -- questions -------------------------------------------------------------------------------------------------------


def question(asked: Question) -> bytes:
    match asked:
        case AskedRoute(origin, to, leaving):
            return _ASKED_ROUTE.pack(Kind.ROUTE, leaving.timestamp(), *astuple(origin), *astuple(to))
        case AskedTable(origins, to, leaving):
            head = _ASKED_TABLE.pack(Kind.TABLE, leaving.timestamp(), len(origins), len(to))
            return head + _packed_points([*origins, *to])
        case AskedSnap(point):
            return _ASKED_SNAP.pack(Kind.SNAP, *astuple(point))
        case AskedMatch(fixes):
            packed = np.array([astuple(fix) for fix in fixes], dtype=_COORDINATES)
            return _ASKED_MATCH.pack(Kind.MATCH, len(fixes)) + packed.tobytes()


def read_question(content: bytes) -> Question:
    """Raises Garbled."""
    try:
        match Kind(content[0]):
            case Kind.ROUTE:
                _, leaving, lon, lat, to_lon, to_lat = _ASKED_ROUTE.unpack(content)
                return AskedRoute(Point(lon, lat), Point(to_lon, to_lat), _instant(leaving))
            case Kind.TABLE:
                _, leaving, rows, columns = _ASKED_TABLE.unpack_from(content)
                points = _points(content[_ASKED_TABLE.size :], rows + columns)
                return AskedTable(points[:rows], points[rows:], _instant(leaving))
            case Kind.SNAP:
                _, lon, lat = _ASKED_SNAP.unpack(content)
                return AskedSnap(Point(lon, lat))
            case Kind.MATCH:
                _, count = _ASKED_MATCH.unpack_from(content)
                rows = np.frombuffer(content[_ASKED_MATCH.size :], dtype=_COORDINATES).reshape(count, 4)
                return AskedMatch([Fix(*row) for row in rows.tolist()])
    except (ValueError, IndexError, struct.error, OverflowError, PointOutOfRange) as wrong:
        raise Garbled from wrong


# -- answers ---------------------------------------------------------------------------------------------------------


def answer(given: Route | Matrix | Snapped | Matched) -> bytes:
    match given:
        case Route(seconds, p90, metres, line, source):
            head = _ROUTE.pack(ANSWERED, seconds, p90, metres, _SOURCES.index(source))
            return head + _packed_points(line)
        case Matrix(seconds, p90, metres, estimated):
            numbers = [np.ascontiguousarray(part, dtype=_WHOLE).tobytes() for part in (seconds, p90, metres)]
            return b"".join((_TABLE.pack(ANSWERED, *seconds.shape), *numbers, np.packbits(estimated).tobytes()))
        case Snapped(point, metres, source):
            return _SNAPPED.pack(ANSWERED, *astuple(point), metres, _SOURCES.index(source))
        case Matched(passages, snapped, confidence):
            head = _MATCHED.pack(ANSWERED, confidence, len(passages), len(snapped))
            driven = np.array([astuple(passage) for passage in passages], dtype=_PASSAGE)
            places = [(np.nan,) * 3 if on is None else (on.point.lon, on.point.lat, on.metres) for on in snapped]
            return head + driven.tobytes() + np.array(places, dtype=_COORDINATES).tobytes()


def refusal() -> bytes:
    return bytes([FAILED])


def read_route(content: bytes) -> Route:
    _, seconds, p90, metres, source = _ROUTE.unpack_from(content)
    coordinates = content[_ROUTE.size :]
    line = _points(coordinates, len(coordinates) // (2 * _COORDINATES.itemsize))
    return Route(seconds, p90, metres, tuple(line), _SOURCES[source])


def read_table(content: bytes) -> Matrix:
    _, rows, columns = _TABLE.unpack_from(content)
    cells = rows * columns
    numbers: Integers = np.frombuffer(content, dtype=_WHOLE, count=3 * cells, offset=_TABLE.size).copy()
    seconds, p90, metres = numbers.reshape(3, rows, columns)
    bits = np.frombuffer(content, dtype=np.uint8, offset=_TABLE.size + numbers.nbytes)
    estimated = np.unpackbits(bits, count=cells).astype(np.bool_).reshape(rows, columns)
    return Matrix(seconds, p90, metres, estimated)


def read_snapped(content: bytes) -> Snapped:
    _, lon, lat, metres, source = _SNAPPED.unpack(content)
    return Snapped(Point(lon, lat), metres, _SOURCES[source])


def read_matched(content: bytes) -> Matched:
    _, confidence, count, fixes = _MATCHED.unpack_from(content)
    driven = np.frombuffer(content, dtype=_PASSAGE, count=count, offset=_MATCHED.size)
    places = np.frombuffer(content, dtype=_COORDINATES, offset=_MATCHED.size + driven.nbytes).reshape(fixes, 3)
    return Matched(tuple(Passage(*row) for row in driven.tolist()), tuple(map(_on_road, places.tolist())), confidence)


def _on_road(row: list[float]) -> SnappedFix | None:
    lon, lat, metres = row
    return None if metres != metres else SnappedFix(Point(lon, lat), int(metres))  # noqa: PLR0124 - NaN is none


def _instant(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def _packed_points(points: Sequence[Point]) -> bytes:
    return np.array([(point.lon, point.lat) for point in points], dtype=_COORDINATES).tobytes()


def _points(content: bytes, count: int) -> list[Point]:
    rows: Floats = np.frombuffer(content, dtype=_COORDINATES).reshape(count, 2)
    return [Point(lon, lat) for lon, lat in rows.tolist()]
