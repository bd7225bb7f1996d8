"""Kinds of things recorded on a visit."""

from enum import StrEnum


class TimeKind(StrEnum):
    TRAVEL = "travel"
    WORK = "work"
    BREAK = "break"


class CostKind(StrEnum):
    TRAVEL = "travel"
    PARKING = "parking"
    MATERIAL = "material"
    OTHER = "other"
