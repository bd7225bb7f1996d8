"""When an order may be invoiced: work is finished and signed without a network, money waits for the evidence. Pure."""

from enum import StrEnum

from server.workorders.domain import State


class Obstacle(StrEnum):
    NOT_CLOSED = "not_closed"
    DISPUTED = "disputed"
    FILES_MISSING = "files_missing"


def obstacles(state: State, *, missing_files: int) -> list[Obstacle]:
    """Answer all that stands in the way of an invoice; none when it may be written."""
    found = []
    if state is State.COMPLETED_DISPUTED:
        found.append(Obstacle.DISPUTED)
    elif state is not State.CLOSED:
        found.append(Obstacle.NOT_CLOSED)
    if missing_files:
        found.append(Obstacle.FILES_MISSING)
    return found
