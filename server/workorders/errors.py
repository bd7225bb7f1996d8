from server.core.errors import Kind, Problem


class IllegalTransition(Problem):
    code = "work_order.illegal_transition"
    kind = Kind.CONFLICT
    sentence = "A work order that is {state} can't {action}."


class MissingRequirement(Problem):
    code = "work_order.missing_requirement"
    kind = Kind.REFUSED
    sentence = "To {action} this work order, {missing} is still missing."


class NotYourVisit(Problem):
    code = "visit.not_yours"
    kind = Kind.FORBIDDEN
    sentence = "This visit is assigned to somebody else."


class VisitOver(Problem):
    code = "visit.over"
    kind = Kind.CONFLICT
    sentence = "This visit is {state}; nothing more can be done on it."


class Voided(Problem):
    code = "work_order.voided"
    kind = Kind.CONFLICT
    sentence = "This work order was taken back; restore it before anything else is done with it."


class NotVoided(Problem):
    code = "work_order.not_voided"
    kind = Kind.CONFLICT
    sentence = "This work order was not taken back."


class Overtaken(Problem):
    code = "conflict.overtaken"
    kind = Kind.CONFLICT
    sentence = "Too much has happened since: {why}. Set it right on the work order itself."


class ChangedMeanwhile(Problem):
    code = "work_order.changed_meanwhile"
    kind = Kind.CONFLICT
    sentence = "Somebody changed this work order meanwhile (now version {version}); look at it again."


class PlanRunsBackwards(Problem):
    code = "visit.plan_runs_backwards"
    kind = Kind.REFUSED
    sentence = "A visit must end after it starts."


class AssetElsewhere(Problem):
    code = "work_order.asset_elsewhere"
    kind = Kind.REFUSED
    sentence = "This equipment is not installed at this site."


class UnknownProcedure(Problem):
    code = "work_order.unknown_procedure"
    kind = Kind.REFUSED
    sentence = "There is no procedure with the key {key}."


class ProcedureWithoutItems(Problem):
    code = "procedure.without_items"
    kind = Kind.REFUSED
    sentence = "A procedure needs at least one item, and a choice needs at least two answers."


class PlaceUnknown(Problem):
    code = "request.place_unknown"
    kind = Kind.REFUSED
    sentence = "Say where help is needed: an address and its place on the map."


class NoSuchPortal(Problem):
    code = "portal.unknown"
    kind = Kind.NOT_FOUND
    sentence = "There is no service portal at this address."


class EntityGone(Problem):
    code = "ENTITY_GONE"  # spelled as in the sync protocol
    kind = Kind.GONE
    sentence = "This {thing} no longer exists."


class NeverAssigned(Problem):
    code = "FORBIDDEN"  # spelled as in the sync protocol
    kind = Kind.FORBIDDEN
    sentence = "This work order was never assigned to you."


class NotYourTime(Problem):
    code = "time.not_yours"
    kind = Kind.FORBIDDEN
    sentence = "Hours are corrected by the person who worked them."


class AnswerDoesNotFit(Problem):
    code = "checklist.answer_does_not_fit"
    kind = Kind.REFUSED
    sentence = "This checklist item asks for a {kind} answer."


class WindowsOverlap(Problem):
    code = "work_order.windows_overlap"
    kind = Kind.REFUSED
    sentence = "These windows overlap; make one of those that do."


class LinkElsewhere(Problem):
    code = "work_order.link_elsewhere"
    kind = Kind.REFUSED
    sentence = "Only orders at one site can be begun together."


class LinkTaken(Problem):
    code = "work_order.link_taken"
    kind = Kind.CONFLICT
    sentence = "These two orders are linked already."


class LinkRunsInACircle(Problem):
    code = "work_order.link_runs_in_a_circle"
    kind = Kind.CONFLICT
    sentence = "One of these orders depends on the other already, perhaps over others between them."
