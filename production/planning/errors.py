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
