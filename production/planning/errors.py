"""What planning refuses. The docstring is the default message."""

from production.errors import ProductionError


class NoSlot(ProductionError):
    """There is no free time for this within the horizon.

    Fields: step, work_centres, minutes, horizon_days, reason (too_long | never_open | busy | material), available_from
    (ISO date and time, or None when waiting doesn't help).
    """

    code = "no_slot"
    http_status = 409


class InvalidRoute(ProductionError):
    """The route can't be planned as it is written.

    Fields: step, and what is wrong with it.
    """

    code = "invalid_route"


class InvalidProblem(ProductionError):
    """The problem can't be planned as it stands.

    Fields: problems (a list, one dict for each: sentence, and operation, machine, job or path where it is about one),
    count (how many there are; the list may hold fewer).
    """

    code = "invalid_problem"


class InfeasiblePlan(ProductionError):
    """The plan breaks a rule of its problem, so it is neither stored nor published.

    Fields: faults (a list, one dict for each: code, operation, machine, sentence), count.
    """

    code = "infeasible_plan"
    http_status = 409


class NotEnoughRolls(ProductionError):
    """The rolls don't suffice for what is to be printed.

    Fields: job, sku, lengths_m (what the job needs), longest_m (the longest roll that is left), lots (what is left of
    each lot, its rolls longest first).
    """

    code = "not_enough_rolls"
    http_status = 409


class UnknownOperation(ProductionError):
    """This operation or job is not in the plan.

    Fields: operation or job.
    """

    code = "unknown_operation"
    http_status = 404


class PlanOutdated(ProductionError):
    """What holds is not what this plan was made from any more: plan again.

    Fields: plan, and base and published (numbers of plans), or faults (what it would break by now).
    """

    code = "plan_outdated"
    http_status = 409


class InvalidHistory(ProductionError):
    """What is said of earlier stages can't be true.

    Fields: kind, ratio.
    """

    code = "invalid_history"


class InvalidChange(ProductionError):
    """This change of the problem can't be made.

    Fields: change (its name), number (its place in the list, from 1), and what it is about: machine, job, operation
    or field.
    """

    code = "invalid_change"
