"""Why a change of a webhook is refused."""

from domain.base import DomainError


class SubscriptionNotAllowed(DomainError):
    """A webhook needs at least one event: a name such as task.created, task.* or *."""

    code = "subscription_not_allowed"


class ReplayRangeNotAllowed(DomainError):
    """A replay goes from a first to a last event of the organization, counted from 1."""

    code = "replay_range_not_allowed"
