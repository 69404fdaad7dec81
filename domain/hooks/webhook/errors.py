"""Errors: why a change to a webhook is refused."""

from domain.base import DomainError, Refusal


class SubscriptionNotAllowed(DomainError):
    """Subscribe to at least one event, with a pattern such as task.created, task.* or *."""

    code = "subscription_not_allowed"
    refusal = Refusal.INVALID


class ReplayRangeNotAllowed(DomainError):
    """A replay needs `fromSeq` of at least 1 and `toSeq` no smaller than it."""

    code = "replay_range_not_allowed"
    refusal = Refusal.INVALID
