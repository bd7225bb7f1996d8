"""Words of what happens beside the ordinary flow: reviews, rescues, and devices that need looking after."""

from enum import StrEnum


class Matter(StrEnum):
    """What lies in an inbox."""

    CONFLICT = "conflict"
    QUARANTINE = "quarantine"


class ItemState(StrEnum):
    OPEN = "open"
    SETTLED = "settled"


class Verdict(StrEnum):
    """What a reviewer can say. `annotate` leaves the item open; `undo` opens it again."""

    ACCEPT_MINE = "accept_mine"  # what the device sent shall stand
    ACCEPT_THEIRS = "accept_theirs"  # what the server had shall stand
    REPLAY = "replay"
    DISCARD = "discard"
    ANNOTATE = "annotate"
    UNDO = "undo"


class RescueCode(StrEnum):
    """Why a mutation came by rescue and not by push; the code it has in quarantine."""

    AFTER_REVOCATION = "AFTER_REVOCATION"
    USER_DISABLED = "USER_DISABLED"
    UPGRADE_REQUIRED = "UPGRADE_REQUIRED"
    RESCUED = "RESCUED"


class Alert(StrEnum):
    UNSENT_TOO_LONG = "unsent_too_long"
    QUARANTINE = "quarantine"
    VERIFY_MISMATCH = "verify_mismatch"
    REFUSED_PUSH = "refused_push"
    TOO_MANY_ROWS = "too_many_rows"
    STORAGE_CLEARED = "storage_cleared"
