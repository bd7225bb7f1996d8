from server.core.errors import Kind, Problem


class RuleChangedMeanwhile(Problem):
    code = "assignment_rule.changed_meanwhile"
    kind = Kind.CONFLICT
    sentence = "Somebody changed this rule meanwhile (now version {version}); look at it again."


class OrderOfOtherRules(Problem):
    code = "assignment_rule.order_of_other_rules"
    kind = Kind.CONFLICT
    sentence = "The order must name each rule once; somebody added or removed one meanwhile."


class UnknownTerritories(Problem):
    code = "assignment_rule.unknown_territories"
    kind = Kind.REFUSED
    sentence = "There is no territory {ids}."


class NotForThePool(Problem):
    code = "pool.not_waiting"
    kind = Kind.CONFLICT
    sentence = "Only a work order that waits for somebody to be sent can be offered; this one is {state}."


class ClosesInThePast(Problem):
    code = "pool.closes_in_the_past"
    kind = Kind.REFUSED
    sentence = "An offer must close later than now."


class OfferOver(Problem):
    code = "POOL_CLOSED"  # spelled as in the sync protocol
    kind = Kind.CONFLICT
    sentence = "This offer is over: {ending}."


class NotForYou(Problem):
    code = "POOL_NOT_FOR_YOU"  # spelled as in the sync protocol
    kind = Kind.REFUSED
    sentence = "You can't take this work order: {why}"
