from server.core.errors import Kind, Problem


class SlotTaken(Problem):
    code = "slot.taken"
    kind = Kind.CONFLICT
    sentence = "There is no room for this any more at {start}; {many} slots of that day are still free."


class OutOfStep(Problem):
    code = "slot.out_of_step"
    kind = Kind.CONFLICT
    sentence = "Somebody can't begin at {start}: {why}"


class SlotsNotAsked(Problem):
    code = "slot.not_asked"
    kind = Kind.REFUSED
    sentence = "Name an order, or a site with a duration: slots can't be looked for without."


class DaysNotAhead(Problem):
    code = "slot.days_not_ahead"
    kind = Kind.REFUSED
    sentence = "Slots can be looked for on {most} days at most, from today on."


class OrderUnderWay(Problem):
    code = "slot.order_under_way"
    kind = Kind.CONFLICT
    sentence = "This order is {state}; only one that waits for somebody can be given a time."


class NoShift(Problem):
    code = "disruption.no_shift"
    kind = Kind.REFUSED
    sentence = "{name} has no shift then, so nothing is disturbed."


class NotUnderWay(Problem):
    code = "disruption.not_at_work"
    kind = Kind.CONFLICT
    sentence = "{name} is at no visit now; report an absence instead."


class TimesBackwards(Problem):
    code = "disruption.times_backwards"
    kind = Kind.REFUSED
    sentence = "An absence ends after it begins, and is not over yet."


class NobodyWaited(Problem):
    code = "disruption.nobody_waited"
    kind = Kind.CONFLICT
    sentence = "Nobody is on the way to this order or expected there, so no customer can have been missing."


class PolicyChangedMeanwhile(Problem):
    code = "planning_policy.changed_meanwhile"
    kind = Kind.CONFLICT
    sentence = "Somebody changed what plans weigh meanwhile (now version {version}); look at it again."
