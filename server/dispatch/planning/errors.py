from server.core.errors import Kind, Problem


class SpanTooLong(Problem):
    code = "plan.span_too_long"
    kind = Kind.REFUSED
    sentence = "A plan covers {most} days at most, and ends after it begins."


class SpanOver(Problem):
    code = "plan.span_over"
    kind = Kind.REFUSED
    sentence = "This time is over; plan what is still to come."


class PlanNotReady(Problem):
    code = "plan.not_ready"
    kind = Kind.CONFLICT
    sentence = "This plan is {state}; only one that is ready can be decided."


class PlanNotRunning(Problem):
    code = "plan.not_running"
    kind = Kind.CONFLICT
    sentence = "This plan is {state}; there is nothing to cancel."


class NothingToUndo(Problem):
    code = "plan.nothing_to_undo"
    kind = Kind.CONFLICT
    sentence = "Nothing of this plan was put into effect, or all of it was undone."


class UnknownLines(Problem):
    code = "plan.unknown_lines"
    kind = Kind.REFUSED
    sentence = "{many} of these orders have no open line in this plan."
