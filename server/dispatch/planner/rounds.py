"""Linked visits are searched in rounds: spans are drawn, searched within, and the next round goes on from there."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Protocol

from server.dispatch.planner.arrays import arrays_of
from server.dispatch.planner.instants import ORDERED, STAY, drawn, earliest, fitted, relaid
from server.dispatch.planner.links import (
    FAR,
    Appointments,
    Linked,
    Sequences,
    Span,
    Tours,
    Unit,
    broken_in,
    linked,
    made_in,
    made_whole,
    narrowed,
    sequences_of,
    visits_of,
    without,
)
from server.dispatch.planner.plan import Costs, Plan, Reason, Tour, Why
from server.dispatch.planner.problem import Cost, Crew, InvalidProblem, Problem
from server.dispatch.planner.reasons import reasons_of
from server.dispatch.planner.stopping import Progress, Stop

_UNLINKED = 0.1  # share of the search that goes before without links, to see where the routes would like to be


_COOL = 0.4  # how far a round is cooled when it begins: it starts from a good plan


_ROUND = 200  # steps of a round at least


_STEPS_A_VISIT = 10  # of a round in a large problem


_WORSE = 0.03  # how much dearer than the last plan the next may be at first


type Heard = Callable[[Progress], None]


class Searched(Protocol):
    def __call__(self, problem: Problem, stop: Stop, *, seed: int, start: Plan | None) -> Plan: ...


def solve_linked(
    problem: Problem, stop: Stop, *, seed: int, start: Plan | None, heard: Heard | None, search: Searched
) -> Plan:
    """Answer the cheapest plan found that keeps every link; `search` is how a problem without any is solved.

    Raises InvalidProblem if the links of locked visits can't be kept.
    """
    known = linked(problem)
    rounds = _Rounds(known, stop, Random(seed), search, heard)  # noqa: S311 - a plan is no secret
    rounds.begin(start)
    while known.able.any() and rounds.done < 1:
        rounds.take()
    best = rounds.best
    if best is None:
        raise InvalidProblem("the links of locked visits can't be kept")
    return Plan(tuple(best.tours[it] for it in sorted(best.tours)), _reasons(known, best), best.costs)


@dataclass(frozen=True)
class _Found:
    """A plan that keeps every link, and the spans it was found in."""

    spans: Appointments
    tours: Tours
    costs: Costs

    @property
    def cost(self) -> Cost:
        return self.costs.total


@dataclass
class _Part(Stop):
    """Some steps of a whole search, cooled by itself from `cool`; keeps how many it took."""

    whole: Stop
    before: Progress
    steps: int = FAR
    until: float = 1.0
    cool: float = 0.0
    taken: int = 0

    def progress(self, so_far: Progress, /) -> float:
        self.taken = so_far.steps
        gained = self.before.gained_at
        if so_far.cost < self.before.cost and so_far.gained_at:
            gained = self.before.steps + so_far.gained_at
        cost = min(so_far.cost, self.before.cost)
        done = self.whole.progress(Progress(self.before.steps + so_far.steps, gained, cost))
        if done >= self.until or so_far.steps >= self.steps:
            return 1.0
        mine = max(so_far.steps / self.steps, done / self.until if self.until < 1 else 0.0)
        return min(0.999, self.cool + (1 - self.cool) * mine)


@dataclass
class _Rounds:
    """Where the rounds stand: `last` wanders, `best` is the cheapest met."""

    known: Linked
    stop: Stop
    random: Random
    search: Searched
    heard: Heard | None
    last: _Found | None = None
    best: _Found | None = None
    so_far: Progress = field(default_factory=lambda: Progress(0, 0, FAR**2))
    spans: Appointments = field(default_factory=dict)
    tours: Tours = field(default_factory=dict)

    @property
    def done(self) -> float:
        return self.stop.progress(self.so_far)

    def begin(self, start: Plan | None) -> None:
        """Search without links for a while, or take the given plan, and make of it one that keeps them."""
        part = _Part(self.stop, self.so_far, until=_UNLINKED) if start is None else _Part(self.stop, self.so_far, 0)
        self.tours = _by_shift(self.search(self.known.plain, part, seed=self._seed(), start=start))
        self._took(part)
        have = _by_shift(start) if start else self.tours
        broken = broken_in(self.known, have)
        apart = without(self.known, self.tours, broken)
        for group in self.known.groups:
            made = broken.isdisjoint(visits_of(group))
            spans = drawn(self.known, self.random, group, apart, kept=made_in(have) if made else {})
            self.spans = {**self.spans, **spans}
        small = self.known.within(self.spans)
        self._weigh(small, relaid(self.known, small, self.spans, sequences_of(self.tours)))

    def take(self) -> None:
        """Move some spans and search within them."""
        known = self.known
        spans = dict(self.spans)
        sequences: Sequences = sequences_of(self.tours)
        if self.random.random() < ORDERED:
            sequences = self._ordered(spans, sequences)
        else:
            for group in self._moved():
                spans |= self._proposed(group)
        small = known.within(spans)
        tours = relaid(known, small, {it: span for it, span in spans.items() if span != self.spans[it]}, sequences)
        steps = max(_ROUND, len(known.problem.visits) * _STEPS_A_VISIT // _ROUND * _ROUND)
        part = _Part(self.stop, self.so_far, steps, cool=_COOL)
        before, self.spans = self.spans, spans
        try:
            found = self.search(small, part, seed=self._seed(), start=_start(tours))
        except InvalidProblem:  # locked visits don't reach their spans
            self.spans, part.taken = before, _ROUND
            self._took(part)
            return
        part.taken = max(part.taken, _ROUND)  # even where nobody could be sent, the search gets on
        self._took(part)
        self._weigh(small, _by_shift(found))

    def _ordered(self, spans: dict[int, Span | None], sequences: Sequences) -> Sequences:
        """Let all begin as early as the order of stops allows, and fit something that is left out into that order."""
        known, made = self.known, made_in(self.tours)
        missing = [it for group in known.groups for it in group if it[0] not in made]
        ready = [it for it in missing if all(one.first in made for one in known.waits_for(it))]
        if ready:
            sequences = fitted(known, self.random, self.random.choice(ready), sequences)
        early = earliest(known, sequences)
        if early is None:
            return sequences_of(self.tours)
        for group in known.groups:
            spans |= drawn(known, self.random, group, self.tours, kept=early)
        return sequences

    def _moved(self) -> list[tuple[Unit, ...]]:
        """Which groups are to have other spans: those that are not whole, and fewer and fewer others."""
        made = {visit for tour in self.tours.values() for visit in tour.visits}
        groups, often = self.known.groups, max(1 / len(self.known.groups), 0.25 * (1 - self.done))
        chosen = [
            it
            for it in groups
            if self.random.random() < (often if made.issuperset(visits_of(it)) else max(often, 1 / 2))
        ]
        return chosen or [self.random.choice(groups)]

    def _proposed(self, group: tuple[Unit, ...]) -> Appointments:
        known = self.known
        if self.random.random() < STAY:
            return drawn(known, self.random, group, self.tours, kept=made_in(self.tours))
        return drawn(known, self.random, group, without(known, self.tours, set(visits_of(group))))

    def _weigh(self, small: Problem, tours: Tours) -> None:
        """Go on from what a round found, unless it is much dearer than what it began with."""
        whole = made_whole(self.known, small, tours)
        if whole is not None:
            found = _Found(self.spans, whole, _costs(self.known.problem, whole))
            if self.best is None or found.cost < self.best.cost:
                self.best, steps = found, self.so_far.steps
                self.so_far = Progress(steps, steps, found.cost)
                if self.heard and steps:
                    self.heard(self.so_far)
            worse = _WORSE * max(0.0, 1 - self.done) * self.random.random()
            if self.last is None or found.cost <= self.last.cost + worse * (self.last.cost - self.last.costs.left_out):
                self.last = found
        if self.last is not None:
            self.spans, self.tours = self.last.spans, self.last.tours

    def _took(self, part: _Part) -> None:
        self.so_far = replace(self.so_far, steps=self.so_far.steps + part.taken)

    def _seed(self) -> int:
        return self.random.randrange(1, 2**31)


def _by_shift(plan: Plan) -> dict[int, Tour]:
    return {tour.shift: tour for tour in plan.tours}


def _start(tours: Tours) -> Plan:
    return Plan(tuple(tours.values()), {}, Costs())


def _costs(problem: Problem, tours: Tours) -> Costs:
    made = made_in(tours)
    costs = sum((tour.costs for tour in tours.values()), Costs())
    missed = sum(it.penalty for number, it in enumerate(problem.visits) if number not in made)
    moved = [problem.visits[it] for it, (shift, _, _) in made.items() if problem.visits[it].known not in (None, shift)]
    return costs + Costs(left_out=missed, changes=sum(it.change_cost for it in moved))


def _reasons(known: Linked, best: _Found) -> dict[int, Reason]:
    """Answer why what is left out is; where a link is the reason, that it is."""
    problem, made = known.problem, made_in(best.tours)
    out = [it for it in range(len(problem.visits)) if it not in made]
    small = narrowed(known.problem, {it: span for it, span in best.spans.items() if it in made})
    found = reasons_of(small, arrays_of(small), sequences_of(best.tours), out)
    crews = {it for link in problem.links if isinstance(link, Crew) for it in link.visits}
    for it in out:
        alone = found[it].why in (Why.NOBODY_ABLE, Why.UNREACHABLE)
        waits = known.waits_for((it,))
        would_pay = found[it].cost is not None and (found[it].cost or 0) < problem.visits[it].penalty
        if any(one.first not in made for one in waits) or (waits and would_pay and not alone):
            found[it] = Reason(Why.WAITS_FOR_ANOTHER)
        elif it in crews and not alone:
            found[it] = Reason(Why.CREW_INCOMPLETE)
    return found
