"""Authorisation is the way to obtain an object: a `Door` is the one predicate for "may this actor see X?".

Lists filter by the same condition that single objects are fetched with, and what may not be seen is reported as
missing, so nobody learns what exists behind a closed door.
"""

from dataclasses import dataclass

from server.core.errors import Forbidden
from server.identity.domain import Actor, Permission


@dataclass(frozen=True)
class Door:
    """Who may see rows of one kind.

    thing: how people call it, for the error.
    everyone: the permission that opens all rows of the organisation.
    own: SQL condition, on the alias the statements of that domain use, that is true for the actor's own rows;
        it may name the parameter `%(actor)s`.
    """

    thing: str
    everyone: Permission
    own: str = "false"

    def condition(self, actor: Actor) -> str:
        """SQL condition for a WHERE clause; the statement must be given `actor=actor.person`."""
        return "true" if actor.may(self.everyone) else f"({self.own})"


def require(actor: Actor, permission: Permission) -> None:
    """Raise Forbidden unless the actor holds the permission."""
    if not actor.may(permission):
        raise Forbidden(permission=permission)
