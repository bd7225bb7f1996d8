"""Domains declare here what a device may do and see; the engine knows no work order.

A domain's `mutators.py` and `projections.py` each have a `register(registry)` that the composition root calls.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from server.core.db import UnitOfWork
from server.core.wire import WireIn
from server.identity.domain import Actor
from server.sync.domain import Dispute, Mutation, Outcome, Side
from server.sync.envelope import first_error
from server.sync.errors import InvalidArguments, UnknownMutation

type Handler = Callable[[UnitOfWork, Actor, Mutation, Any], Awaitable[Outcome]]
type Upcaster = Callable[[Mapping[str, Any]], Mapping[str, Any]]
type Settlement = Callable[[UnitOfWork, Actor, Dispute, Side], Awaitable[None]]


class Nature(StrEnum):
    """Evidence is what happened and is always kept; control asks for a change and may be refused."""

    EVIDENCE = "evidence"
    CONTROL = "control"


@dataclass(frozen=True)
class Mutator:
    name: str
    v: int
    nature: Nature
    args: type[WireIn]
    handle: Handler
    needs: str | None = None

    async def run(self, uow: UnitOfWork, actor: Actor, mutation: Mutation, args: Mapping[str, Any]) -> Outcome:
        """Read the arguments and handle them. Raises InvalidArguments, and whatever the domain refuses."""
        try:
            read = self.args.model_validate(args)
        except ValidationError as wrong:
            raise InvalidArguments(why=first_error(wrong)) from None
        return await self.handle(uow, actor, mutation, read)


@dataclass(frozen=True)
class Projection:
    """What a device sees of one entity. `code` is the entity code its sync trigger was created with.

    sql: answers `id` and `d` (jsonb) of the entities whose id is among `%(ids)s` (uuid[]).
    """

    code: int
    name: str
    sql: str


@dataclass
class Registry:
    mutators: dict[tuple[str, int], Mutator] = field(default_factory=dict)
    upcasters: dict[tuple[str, int], Upcaster] = field(default_factory=dict)
    settlements: dict[str, Settlement] = field(default_factory=dict)
    projections: dict[int, Projection] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def mutator(
        self, name: str, args: type[WireIn], handle: Handler, *, nature: Nature, v: int = 1, needs: str | None = None
    ) -> None:
        """Declare a mutation.

        needs: the argument that holds the id of what it is about, if a device can make that. Should its making be
            quarantined, this one is quarantined as depending on it.
        """
        self.mutators[name, v] = Mutator(name, v, nature, args, handle, needs)

    def lifted(self, name: str, v: int, args: Mapping[str, Any]) -> tuple[Mutator, Mapping[str, Any]]:
        """Answer the newest mutator a version can be lifted to, and the arguments as it reads them.

        Raises UnknownMutation; InvalidArguments when they are no arguments of the version they claim.
        """
        wanted = v
        while upcast := self.upcasters.get((name, wanted)):
            try:
                args = upcast(args)
            except (KeyError, TypeError, ValueError, AttributeError) as wrong:
                raise InvalidArguments(why=f"{wrong!r} in version {wanted}") from None
            wanted += 1
        found = self.mutators.get((name, wanted))
        if found is None:
            raise UnknownMutation(name=name, v=v)
        return found, args

    def needs(self, name: str) -> str | None:
        return next((it.needs for it in self.mutators.values() if it.name == name and it.needs), None)

    def described(self) -> dict[str, Any]:
        """Answer every mutation's nature and the JSON Schema of its arguments, by name and version."""
        return {
            f"{name}/{v}": {"nature": it.nature, "args": it.args.model_json_schema()}
            for (name, v), it in self.mutators.items()
        }

    def upcaster(self, name: str, v: int, upcast: Upcaster) -> None:
        """Teach how the arguments of version `v` read in version `v + 1`. Old apps live for a year: none is removed."""
        self.upcasters[name, v] = upcast

    def settlement(self, code: str, stand: Settlement) -> None:
        """Say how one side of a conflict with this code is made to stand; the other side's turn is the undo.

        Raises a Problem when it can't be done any more. The actor is who settles, not who recorded.
        """
        self.settlements[code] = stand

    def projection(self, code: int, name: str, sql: str) -> None:
        self.projections[code] = Projection(code, name, sql)

    def awaited_files(self, sql: str) -> None:
        """Add a SELECT of sha256 (text) of files recorded by `%(person)s` whose bytes have not arrived by `%(now)s`."""
        self.files.append(sql)
