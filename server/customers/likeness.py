"""When two records are probably one thing: made by two people without signal, or read differently off a plate. Pure.

A likeness is only ever a suggestion; a person merges.
"""

import re
from collections.abc import Iterable

from server.customers.domain import Asset, Likeness

_NO_MATTER = re.compile(r"[\W_]+")
# What people confuse on a scratched plate.
_ALIKE = str.maketrans("OIZSBQ", "012580")


def plate(serial: str) -> str:
    """A serial number as machines compare it: without signs, in capitals."""
    return _NO_MATTER.sub("", serial).upper()


def same_machine(newer: Asset, others: Iterable[Asset]) -> tuple[Asset, Likeness] | None:
    """Answer the asset that a newly recorded one probably is, and why. Others are of the same serial or site."""
    read = plate(newer.serial)
    candidates = [asset for asset in others if asset.id != newer.id]
    for asset in candidates:
        if plate(asset.serial) == read:
            return asset, Likeness.SAME_SERIAL
    for asset in candidates:
        same_kind = (asset.site_id, asset.product, asset.model) == (newer.site_id, newer.product, newer.model)
        if same_kind and _misread(plate(asset.serial), read):
            return asset, Likeness.MISREAD_SERIAL
    return None


def _misread(one: str, other: str) -> bool:
    """Whether they differ by one sign only, or by signs that look alike."""
    if len(one) != len(other):
        return False
    if one.translate(_ALIKE) == other.translate(_ALIKE):
        return True
    return sum(a != b for a, b in zip(one, other, strict=True)) == 1
