"""How somebody came to be sent. Pure."""

from enum import StrEnum


class How(StrEnum):
    """Who or what chose the engineer."""

    MANUAL = "manual"
    SUGGESTED = "suggested"  # a person followed the first suggestion
    AUTOMATIC = "automatic"
    PLAN = "plan"
    REPAIR = "repair"
    POOL = "pool"  # the engineer took it themselves


class Wish(StrEnum):
    """What a customer thinks of an engineer: a preference is weighed, a ban is kept."""

    PREFERRED = "preferred"
    BANNED = "banned"


def chosen_by_person(rank: int | None) -> How:
    return How.SUGGESTED if rank == 1 else How.MANUAL
