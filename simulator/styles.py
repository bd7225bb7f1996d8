"""The styles of dispatching by name."""

from datetime import datetime
from enum import StrEnum
from random import Random

from simulator.dispatcher import Desk, Style
from simulator.nearest import Nearest
from simulator.planned import Planned, Rhythm
from simulator.suggested import Habits, Suggested


class StyleName(StrEnum):
    SUGGESTED = "suggested"
    NEAREST = "nearest"
    PLANNED = "planned"


def style_of(name: StyleName, desk: Desk, *, rng: Random, seed: int, until: datetime, habits: Habits) -> Style:
    """`until`: when the day is over."""
    match name:
        case StyleName.SUGGESTED:
            return Suggested(desk, rng, habits)
        case StyleName.NEAREST:
            return Nearest(desk)
        case StyleName.PLANNED:
            return Planned(desk, until, seed, Rhythm())
