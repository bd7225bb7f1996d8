"""How somebody came to be sent, and what is kept of the ranking they were chosen from. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from server.dispatch.scoring import Judgement, Person

KEPT_WHOLE = 50  # of candidates and of the excluded, besides the chosen; the others are kept in a line each
NAMED = 3

type Line = dict[str, Any]


class How(StrEnum):
    """Who or what chose the engineer."""

    MANUAL = "manual"
    SUGGESTED = "suggested"  # a person followed the first suggestion
    AUTOMATIC = "automatic"
    JOINT = "joint"  # by a rule, together with other orders; who ranks first would have been sent to it alone
    PLAN = "plan"
    REPAIR = "repair"
    POOL = "pool"  # the engineer took it themselves


def chosen_by_person(rank: int | None) -> How:
    return How.SUGGESTED if rank == 1 else How.MANUAL


@dataclass(frozen=True)
class Inputs:
    """What a decision was taken on, as plain JSON.

    others: everybody who is in neither list: `candidates` as [id, name, rank, score], `excluded` as [id, name, codes].
    """

    job: Line
    weights: Line
    candidates: list[Line]
    excluded: list[Line]
    others: dict[str, list[Any]]


@dataclass(frozen=True)
class Decision:
    id: UUID
    visit_id: UUID
    engineer_id: UUID
    engineer_name: str
    decided_by: UUID | None
    decided_by_name: str | None
    decided_at: datetime
    how: How
    plan_id: UUID | None
    chosen_rank: int | None
    note: str | None
    job: Line | None
    weights_version: int
    weights: Line
    candidates: tuple[Line, ...]
    excluded: tuple[Line, ...]
    others: dict[str, list[Any]]

    @property
    def best(self) -> Sequence[Line]:
        return self.candidates[:NAMED]

    @property
    def chosen(self) -> Line | None:
        """The chosen with every factor; None when the rules excluded them."""
        return _line_of(self.candidates, self.engineer_id)

    @property
    def chosen_against(self) -> Line | None:
        """The chosen with the rules that spoke against them."""
        return _line_of(self.excluded, self.engineer_id)

    @property
    def candidate_count(self) -> int:
        return len(self.candidates) + len(self.others["candidates"])

    @property
    def excluded_count(self) -> int:
        return len(self.excluded) + len(self.others["excluded"])

    def about(self, engineer_id: UUID) -> Line | None:
        """How somebody stood then, in short: their rank and score, or why not. None for who was not there."""
        if line := _line_of(self.candidates, engineer_id):
            return _stood(line["engineer_id"], line["name"], line["rank"], line["score"], [])
        if line := _line_of(self.excluded, engineer_id):
            codes = dict.fromkeys(reason["code"] for reason in line["reasons"])
            return _stood(line["engineer_id"], line["name"], None, None, list(codes))
        for known, name, rank, score in self.others["candidates"]:
            if known == str(engineer_id):
                return _stood(known, name, rank, score, [])
        for known, name, codes in self.others["excluded"]:
            if known == str(engineer_id):
                return _stood(known, name, None, None, codes)
        return None


def _line_of(lines: Sequence[Line], engineer_id: UUID) -> Line | None:
    return next((line for line in lines if line["engineer_id"] == str(engineer_id)), None)


def _stood(engineer_id: str, name: str, rank: int | None, score: float | None, codes: Sequence[str]) -> Line:
    return {"engineer_id": engineer_id, "name": name, "rank": rank, "score": score, "codes": list(codes)}


def whole_rows(judged: Judgement, chosen: int) -> tuple[list[int], list[int]]:
    """Answer the rows of the candidates and of the excluded that are kept whole."""
    best, barred = judged.best[:KEPT_WHOLE].tolist(), judged.barred[:KEPT_WHOLE].tolist()
    mine = best if judged.able[chosen] else barred
    if chosen not in mine:
        mine.append(chosen)
    return best, barred


def inputs(judged: Judgement, chosen: int, people: Mapping[UUID, Person], names: Mapping[UUID, str]) -> Inputs:
    """Answer what is kept. people: those in `whole_rows`; names: everybody's."""
    best, barred = whole_rows(judged, chosen)
    id_of = judged.prospects.id_of
    return Inputs(
        {"at": judged.at.isoformat(), **_plain(asdict(judged.job))},
        dict(judged.weights),
        [_plain(asdict(judged.candidate(row, people[id_of(row)]))) for row in best],
        [_plain(asdict(judged.excluded(row, people[id_of(row)]))) for row in barred],
        {
            "candidates": [
                [str(known := id_of(row)), names[known], rank, float(judged.scores[row])]
                for rank, row in enumerate(judged.best.tolist(), start=1)
                if rank > KEPT_WHOLE and row != chosen
            ],
            "excluded": [
                [str(known := id_of(row)), names[known], judged.codes(row)]
                for row in judged.barred[KEPT_WHOLE:].tolist()
                if row != chosen
            ],
        },
    )


def _plain(value: Any) -> Any:
    """The same in the words of JSON."""
    match value:
        case dict():
            return {name: _plain(it) for name, it in value.items()}
        case list() | tuple():
            return [_plain(it) for it in value]
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value
