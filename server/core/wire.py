"""Strict shapes for everything that comes in, plain shapes for everything that goes out.

Stock models accept NUL bytes, lone surrogates, NaN and integers no database column can hold; each of these then
fails deep inside. Here they are refused at the rim with a sentence.
"""

import math
import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

MAX_DEPTH = 32
_INT64 = 2**63
_SURROGATE = re.compile("[\ud800-\udfff]")


def _clean(text: str) -> str:
    if "\x00" in text:
        message = "must not contain NUL characters"
        raise ValueError(message)
    if _SURROGATE.search(text):
        message = "must not contain lone surrogates"
        raise ValueError(message)
    return text


def _years_of_people(at: datetime) -> datetime:
    # Leaves room for the arithmetic (offsets, windows) that would overflow at the calendar's ends.
    if not 1900 <= at.year <= 2200:  # noqa: PLR2004
        message = "must lie between the years 1900 and 2200"
        raise ValueError(message)
    return at


type Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
type Line = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True)]
type Text = Annotated[str, StringConstraints(max_length=20_000)]
type Search = Annotated[str, StringConstraints(max_length=200), AfterValidator(_clean)]  # outside of bodies
type Instant = Annotated[AwareDatetime, AfterValidator(_years_of_people)]
type Longitude = Annotated[float, Field(ge=-180, le=180)]
type Latitude = Annotated[float, Field(ge=-90, le=90)]
type Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
type Id = UUID


def refuse_hostile_values(value: Any, depth: int = 0) -> None:
    """Walk plain JSON and raise ValueError for what no column or reader could hold."""
    if depth > MAX_DEPTH:
        message = f"must not be nested deeper than {MAX_DEPTH} levels"
        raise ValueError(message)
    match value:
        case str():
            _clean(value)
        case bool():
            pass
        case int() if not -_INT64 <= value < _INT64:
            message = "must fit in 64 bits"
            raise ValueError(message)
        case float() if not math.isfinite(value):
            message = "must be a finite number"
            raise ValueError(message)
        case dict():
            for key, inner in value.items():
                _clean(str(key))
                refuse_hostile_values(inner, depth + 1)
        case list() | tuple():
            for inner in value:
                refuse_hostile_values(inner, depth + 1)
        case _:
            pass


class WireIn(BaseModel):
    """Base of what clients send: strict about unknown fields and hostile values."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_hostile_values(cls, data: Any) -> Any:
        refuse_hostile_values(data)
        return data


class WireOut(BaseModel):
    """Base of what clients receive: built from domain objects by attribute, no defaults."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class PlaceIn(WireIn):
    """A WGS-84 position as GeoJSON-minded clients write it."""

    lon: Longitude
    lat: Latitude


class PlaceOut(WireOut):
    lon: float
    lat: float
