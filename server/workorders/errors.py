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


class AnswerDoesNotFit(Problem):
    code = "checklist.answer_does_not_fit"
    kind = Kind.REFUSED
    sentence = "This checklist item asks for a {kind} answer."
