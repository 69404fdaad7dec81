"""The counts that a plan limits: how many an organization has of each."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from commands.happening import Happening, Reservations, Rule
from domain.base import DomainError, OrgId
from domain.identity.plan import Countable, Plan, limit_of, plan_full, plan_limit_reached
from eventstore.claim import CountChange, CountKey

_HIDEABLE = (Countable.PROJECTS, Countable.TASKS, Countable.CUSTOM_FIELDS)
"""What private projects hide from some members."""


def counted_of(org_id: OrgId, what: Countable) -> CountKey:
    """Return the count of *what* in an organization."""
    return CountKey(org_id, what.value, org_id)


def tasks_in(org_id: OrgId, project_id: UUID, status: str) -> CountKey:
    """Return the count of a project's tasks that were put into *status* and are not in the trash.

    A status that is gone keeps its count: its tasks are in another one now (``Workflow.place``).
    """
    return CountKey(org_id, f"tasks in {status}", project_id)


def fields_in(org_id: OrgId, project_id: UUID) -> CountKey:
    """Return the count of the custom fields of a project that are not in the trash."""
    return CountKey(org_id, "custom fields of a project", project_id)


def counting(what: Countable, by: int) -> Rule:
    """Return the rule of an event that adds *by* to a count."""

    def rule(happened: Happening, reserved: Reservations) -> None:
        count(what, by, happened, reserved)

    return rule


def count(
    what: Countable,
    by: int,
    happened: Happening,
    reserved: Reservations,
    times: tuple[CountKey, ...] = (),
) -> None:
    """Add *by* to a count, as often as *times* say; more than the plan allows is refused."""
    limit: int | None = None
    refusal: Callable[[int], DomainError] | None = None
    if by > 0 and happened.plan is not None:
        limit = limit_of(happened.plan, what)
        refusal = partial(_refusal, happened, happened.plan, what)
    counted = counted_of(happened.org_id, what)
    reserved.counts.append(CountChange(counted, by, limit, refusal, times))


def _refusal(happened: Happening, plan: Plan, what: Countable, found: int) -> DomainError:
    hidden = what in _HIDEABLE and not happened.sees_all()
    return plan_full(plan, what, found) if hidden else plan_limit_reached(plan, what, found)
