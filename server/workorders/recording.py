"""Between the engine's words and the domain's: what a mutation says of its circumstances, and how recording ended."""

from server.geo.domain import Point
from server.sync.domain import Mutation, Outcome, Status
from server.workorders.domain import Circumstances
from server.workorders.evidence import Recorded


def circumstances_of(mutation: Mutation) -> Circumstances:
    """Answer when, where and from what a mutation says it happened."""
    place = Point(mutation.place["lon"], mutation.place["lat"]) if mutation.place else None
    return Circumstances(mutation.occurrence, place, mutation.device, mutation.id)


def outcome_of(recorded: Recorded | None) -> Outcome:
    """Say how recording evidence ended; None means that its id was known."""
    if recorded is None:
        return Outcome.merged("ALREADY_RECORDED")
    status = Status.APPLIED if recorded.code is None else Status.MERGED
    return Outcome(status, recorded.code, recorded.facts, recorded.flags)
