"""What can be wrong with what is learnt, decided or set."""

from server.core.errors import Kind, Problem


class NotEnoughHistory(Problem):
    code = "learning.not_enough_history"
    kind = Kind.REFUSED
    sentence = (
        "{missing} more completed orders are needed before anything is learnt: {completed} of {enough} are there."
    )


class NotOpenToThat(Problem):
    code = "learning.state"
    kind = Kind.CONFLICT
    sentence = "This model is {state}; {needed} can be {action}."


class PolicyMovedOn(Problem):
    code = "learning.policy_moved_on"
    kind = Kind.CONFLICT
    sentence = "The policy was changed meanwhile: its version is {version}. Look at it and try again."


class WeightsMovedOn(Problem):
    code = "weights.moved_on"
    kind = Kind.CONFLICT
    sentence = "The weights were changed meanwhile: version {version} is in force. Look at them and try again."


class UnknownFactor(Problem):
    code = "weights.unknown_factor"
    kind = Kind.REFUSED
    sentence = "There is no factor {factor}; the factors are {known}."


class WeightOutOfRange(Problem):
    code = "weights.out_of_range"
    kind = Kind.REFUSED
    sentence = "The weight of {factor} must lie between 0 and 1."


class WeightsNotWhole(Problem):
    code = "weights.sum"
    kind = Kind.REFUSED
    sentence = "Weights must add up to 1, give or take 0.001; these add up to {total}."


class PeriodRunsBackwards(Problem):
    code = "period.runs_backwards"
    kind = Kind.REFUSED
    sentence = "A period must end after it begins."


class PeriodTooLong(Problem):
    code = "period.too_long"
    kind = Kind.REFUSED
    sentence = "Ask about {days} days at most."
