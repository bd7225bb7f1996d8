"""Words of dispatch that outlive a single ranking. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Wish(StrEnum):
    PREFERRED = "preferred"  # weighed, not obeyed
    BANNED = "banned"  # a rule, which a dispatcher may overrule


@dataclass(frozen=True)
class CustomerWish:
    """What a customer said about an engineer, for every order of theirs."""

    customer_id: UUID
    engineer_id: UUID
    engineer_name: str
    wish: Wish
    why: str
    recorded_by: UUID
    at: datetime
