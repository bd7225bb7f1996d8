"""How far into the inbox somebody reaches: the office everywhere, who keeps the stock to what was said about stock."""

from dataclasses import dataclass

from server.core.errors import Forbidden
from server.identity.domain import Actor, Permission
from server.sync.matters import Verdict

_STOCK = "part."
_OF_STOCK = frozenset({Verdict.ANNOTATE, Verdict.REPLAY, Verdict.DISCARD})


@dataclass(frozen=True)
class Reach:
    """`prefix` begins the names of the mutations whose items are seen, "" all; `verdicts` are what may be said."""

    prefix: str
    verdicts: frozenset[Verdict]

    def check(self, verdict: Verdict) -> None:
        """Raises Forbidden."""
        if verdict not in self.verdicts:
            raise Forbidden(permission=Permission.VISITS_DISPATCH)


def reach_of(actor: Actor) -> Reach:
    """Raises Forbidden for whom the inbox is closed altogether."""
    if actor.may(Permission.ORDERS_READ):
        return Reach("", frozenset(Verdict) if actor.may(Permission.VISITS_DISPATCH) else frozenset())
    if actor.may(Permission.STOCK_MOVE):
        return Reach(_STOCK, _OF_STOCK)
    raise Forbidden(permission=Permission.ORDERS_READ)
