"""How near predictions came to what drives took. Pure."""

from dataclasses import dataclass

import numpy as np

from server.geo.learning.network import Flags, Numbers


@dataclass(frozen=True)
class Accuracy:
    """Of so many drives, in per cent; None where there is none.

    mape: the mean error, whatever its sign, of what it took; bias: the mean error with its sign, above 0 where drives
    were quicker than predicted; within_median and within_p90: how many took no longer than the one and the other.
    """

    drives: int
    mape: float | None = None
    bias: float | None = None
    within_median: float | None = None
    within_p90: float | None = None


def accuracy(actual: Numbers, predicted: Numbers, p90: Numbers) -> Accuracy:
    """Compare seconds with seconds, a row a drive; `actual` is above 0."""
    if not len(actual):
        return Accuracy(0)
    error = (predicted - actual) / actual
    return Accuracy(
        len(actual),
        mape=_percent(np.abs(error)),
        bias=_percent(error),
        within_median=_percent(actual <= predicted),
        within_p90=_percent(actual <= p90),
    )


def _percent(shares: Numbers | Flags) -> float:
    return round(100 * float(shares.mean()), 2)
