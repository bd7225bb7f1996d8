"""Putting together what two people wrote without knowing of each other. Pure.

Texts merge by words against the text both started from (diff3), records by fields. Nothing is guessed: where both
changed the same words, nobody's words are dropped and a person decides.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# A word, a run of white space, or one sign. Chinese, Japanese and Thai put no spaces between words, so each of their
# characters counts as one.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_TOKEN = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+|\s+|[^\w\s]")

# Beyond so many differences two texts are taken as rewritten: one change instead of hours of comparing.
MOST_EDITS = 400


def words(text: str) -> list[str]:
    """Cut a text into words, white space and signs; joined again they are the text, character by character."""
    return _TOKEN.findall(text)


@dataclass(frozen=True)
class Merged:
    text: str


@dataclass(frozen=True)
class Clash:
    """One place that both changed: what stood there, and what each made of it."""

    base: str
    mine: str
    theirs: str


@dataclass(frozen=True)
class Overlap:
    """Both changed the same words. `pieces` are the text in order: what is agreed, and each clash."""

    pieces: tuple[str | Clash, ...]

    @property
    def clashes(self) -> tuple[Clash, ...]:
        return tuple(piece for piece in self.pieces if isinstance(piece, Clash))


def merge_text(base: str, mine: str, theirs: str) -> Merged | Overlap:
    """Merge two edits of one text by words.

    Changes that touch without an unchanged word between them count as overlapping, save when both made the same one.
    """
    before = words(base)
    pieces: list[str | Clash] = []
    at = 0
    for region in _regions(changes(before, words(mine)), changes(before, words(theirs))):
        pieces.append("".join(before[at : region.start]))
        pieces.append(region.settle(before))
        at = region.end
    pieces.append("".join(before[at:]))
    if any(isinstance(piece, Clash) for piece in pieces):
        return Overlap(tuple(piece for piece in pieces if piece != ""))
    return Merged("".join(str(piece) for piece in pieces))


@dataclass(frozen=True)
class Change:
    """Words `start` to `end` (exclusive) of the base are replaced by `by`."""

    start: int
    end: int
    by: tuple[str, ...]


@dataclass
class _Region:
    """A stretch of the base with all changes that touch one another."""

    start: int
    end: int
    mine: list[Change] = field(default_factory=list)
    theirs: list[Change] = field(default_factory=list)

    def settle(self, before: Sequence[str]) -> str | Clash:
        mine, theirs = self._read(before, self.mine), self._read(before, self.theirs)
        if not self.theirs or mine == theirs:
            return mine
        if not self.mine:
            return theirs
        return Clash("".join(before[self.start : self.end]), mine, theirs)

    def _read(self, before: Sequence[str], made: Sequence[Change]) -> str:
        parts: list[str] = []
        at = self.start
        for change in made:
            parts += [*before[at : change.start], *change.by]
            at = change.end
        return "".join([*parts, *before[at : self.end]])


def _regions(mine: Sequence[Change], theirs: Sequence[Change]) -> list[_Region]:
    both = [(change, True) for change in mine] + [(change, False) for change in theirs]
    regions: list[_Region] = []
    for change, is_mine in sorted(both, key=lambda it: (it[0].start, it[0].end)):
        if not regions or change.start > regions[-1].end:
            regions.append(_Region(change.start, change.end))
        region = regions[-1]
        region.end = max(region.end, change.end)
        (region.mine if is_mine else region.theirs).append(change)
    return regions


def changes(before: Sequence[str], after: Sequence[str]) -> list[Change]:
    """Answer the fewest changes that turn one sequence of words into another, in order and never touching.

    Beyond `MOST_EDITS` differences the answer is one change of everything between the common ends.
    """
    head = _same_head(before, after)
    tail = _same_head(before[head:][::-1], after[head:][::-1])
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if not old and not new:
        return []
    kept = _kept(old, new)
    if kept is None:
        return [Change(head, head + len(old), tuple(new))]
    return _between(old, new, kept, head)


def _same_head(one: Sequence[str], other: Sequence[str]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _between(old: Sequence[str], new: Sequence[str], kept: Sequence[tuple[int, int]], shift: int) -> list[Change]:
    """Answer what lies between the kept words."""
    found: list[Change] = []
    i = j = 0
    for x, y in [*kept, (len(old), len(new))]:
        if x > i or y > j:
            found.append(Change(shift + i, shift + x, tuple(new[j:y])))
        i, j = x + 1, y + 1
    return found


def _kept(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]] | None:
    """Answer the places of the words both have, longest common subsequence; None beyond `MOST_EDITS` differences.

    Source: E. W. Myers, An O(ND) difference algorithm and its variations, 1986.
    """
    reach = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(min(len(old) + len(new), MOST_EDITS) + 1):
        trace.append(dict(reach))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
            x = reach[k + 1] if down else reach[k - 1] + 1
            while x < len(old) and x - k < len(new) and old[x] == new[x - k]:
                x += 1
            reach[k] = x
            if x >= len(old) and x - k >= len(new):
                return _walk_back(trace, len(old), len(new))
    return None


def _walk_back(trace: Sequence[Mapping[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    """Follow the edits from the end to the beginning; between two of them lie kept words, on a diagonal."""
    kept: list[tuple[int, int]] = []
    for edits in range(len(trace) - 1, 0, -1):
        reach, k = trace[edits], x - y
        down = k == -edits or (k != edits and reach[k - 1] < reach[k + 1])
        came_from = k + 1 if down else k - 1
        before_x = reach[came_from]
        start_x = before_x if down else before_x + 1
        kept += [(x - n, y - n) for n in range(1, x - start_x + 1)]
        x, y = before_x, before_x - came_from
    return [*((n, n) for n in range(x)), *reversed(kept)]


class Owner(StrEnum):
    """Whose word counts when both changed one field."""

    OFFICE = "office"
    FIELD = "field"


@dataclass(frozen=True)
class FieldsMerged:
    """How a patch of fields meets what stands.

    taken: written now. kept_out: what the device wanted and the office's word outranked. overruled: what stood and
    the device's word replaced. `beside`: whether fields that the patch left alone have changed meanwhile.
    """

    taken: Mapping[str, Any]
    kept_out: Mapping[str, Any]
    overruled: Mapping[str, Any]
    beside: bool


def merge_fields(
    base: Mapping[str, Any], wanted: Mapping[str, Any], standing: Mapping[str, Any], owners: Mapping[str, Owner]
) -> FieldsMerged:
    """Merge a patch three-way by field.

    base: what the person saw, at least of the fields they changed; one it lacks counts as changed meanwhile.
    wanted: what they made of them. standing: all fields as they are now.
    owners: who outranks the other, of every field that can be patched.
    """
    asked = {name: value for name, value in wanted.items() if name not in base or base[name] != value}
    open_ = {name: value for name, value in asked.items() if standing[name] != value}
    clashing = {name for name in open_ if name not in base or base[name] != standing[name]}
    kept_out = {name: open_[name] for name in open_ if name in clashing and owners[name] is Owner.OFFICE}
    taken = {name: value for name, value in open_.items() if name not in kept_out}
    overruled = {name: standing[name] for name in taken if name in clashing}
    beside = any(standing[name] != value for name, value in base.items() if name in standing and name not in asked)
    return FieldsMerged(taken, kept_out, overruled, beside)
