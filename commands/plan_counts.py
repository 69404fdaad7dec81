"""The counts that a plan limits: how many an organization has of each."""

from collections.abc import Callable
from functools import partial

from commands.happening import Happening, Reservations, Rule
from domain.base import DomainError, OrgId
from domain.identity.plan import Countable, limit_of, plan_full, plan_limit_reached
from eventstore.claim import CountChange, CountKey

_HIDEABLE = (Countable.PROJECTS, Countable.TASKS, Countable.CUSTOM_FIELDS)
"""What private projects hide from some members."""


def counted_of(org_id: OrgId, what: Countable) -> CountKey:
    """Return the count of *what* in an organization."""
    return CountKey(org_id, what.value, org_id)


def counting(what: Countable, by: int) -> Rule:
    """Return the rule of an event that adds *by* to a count."""

    def rule(happened: Happening, reserved: Reservations) -> None:
        count(what, by, happened, reserved)

    return rule


def count(what: Countable, by: int, happened: Happening, reserved: Reservations) -> None:
    """Add *by* to a count; more than the plan allows is refused."""
    limit: int | None = None
    refusal: Callable[[int], DomainError] | None = None
    if by > 0 and happened.plan is not None:
        limit = limit_of(happened.plan, what)
        told = plan_limit_reached if happened.sees_all or what not in _HIDEABLE else plan_full
        refusal = partial(told, happened.plan, what)
    reserved.counts.append(CountChange(counted_of(happened.org_id, what), by, limit, refusal))
