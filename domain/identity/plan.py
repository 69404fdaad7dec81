"""Plans: how much of each resource an organization may have."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from domain.base import DomainError, Refusal


class Plan(StrEnum):
    """The plan of an organization. The values are stored, so they never change."""

    FREE = "FREE"
    BASIC = "BASIC"
    PREMIUM = "PREMIUM"


class Countable(StrEnum):
    """What a plan limits by number or size; each is a field of ``PlanLimits``."""

    MEMBERS = "members"
    TEAMS = "teams"
    PROJECTS = "projects"
    TASKS = "tasks"
    WEBHOOKS = "webhooks"
    API_KEYS = "api_keys"
    CUSTOM_FIELDS = "custom_fields"
    STORAGE_BYTES = "storage_bytes"


class PlanLimits(Struct, frozen=True, kw_only=True):
    """The limits of one plan; None means unlimited."""

    members: int  # includes open invitations
    teams: int | None  # not deleted
    projects: int | None  # not archived, not deleted
    tasks: int | None  # not deleted
    webhooks: int
    api_keys: int  # not revoked
    custom_fields: int | None  # not deleted
    storage_bytes: int  # of attachments that are not deleted
    file_bytes: int  # of one attachment
    requests_per_minute: int  # of one API key
    custom_workflows: bool
    bulk_tasks: int  # in one request
    audit_window: timedelta | None  # how far back the audit log is readable
    past_window: timedelta | None  # how far back things can be read as they were
    trash_retention: timedelta
    legal_hold: bool


_MB, _GB = 1_000_000, 1_000_000_000

PLAN_LIMITS: dict[Plan, PlanLimits] = {
    Plan.FREE: PlanLimits(
        members=10,
        teams=2,
        projects=5,
        tasks=1_000,
        webhooks=2,
        api_keys=2,
        custom_fields=5,
        storage_bytes=2 * _GB,
        file_bytes=10 * _MB,
        requests_per_minute=100,
        custom_workflows=False,
        bulk_tasks=50,
        audit_window=timedelta(days=90),
        past_window=timedelta(days=30),
        trash_retention=timedelta(days=30),
        legal_hold=False,
    ),
    Plan.BASIC: PlanLimits(
        members=100,
        teams=20,
        projects=100,
        tasks=50_000,
        webhooks=20,
        api_keys=20,
        custom_fields=50,
        storage_bytes=250 * _GB,
        file_bytes=100 * _MB,
        requests_per_minute=1_000,
        custom_workflows=True,
        bulk_tasks=500,
        audit_window=timedelta(days=365),
        past_window=timedelta(days=365),
        trash_retention=timedelta(days=60),
        legal_hold=False,
    ),
    Plan.PREMIUM: PlanLimits(
        members=50_000,  # a technical limit: all members are folded from one stream
        teams=None,
        projects=None,
        tasks=None,
        webhooks=200,
        api_keys=200,
        custom_fields=None,
        storage_bytes=5_000 * _GB,
        file_bytes=1_000 * _MB,
        requests_per_minute=10_000,
        custom_workflows=True,
        bulk_tasks=5_000,
        audit_window=None,
        past_window=None,
        trash_retention=timedelta(days=180),
        legal_hold=True,
    ),
}

_UPGRADE = {Plan.FREE: Plan.BASIC, Plan.BASIC: Plan.PREMIUM, Plan.PREMIUM: None}


def refuse_if_full(plan: Plan, what: Countable, used: int) -> None:
    """Refuse to add one more of *what* if *used* of them already reach the limit of *plan*.

    :raises PlanLimitReached: with ``limit``, ``used``, ``plan`` and the plan to upgrade to, if any.
    """
    limit = limit_of(plan, what)
    if limit is not None and used >= limit:
        raise plan_limit_reached(plan, what, used)


def refuse_if_file_too_large(plan: Plan, size: int) -> None:
    """Refuse a file of *size* bytes if that is more than *plan* allows for one.

    :raises PlanLimitReached: it is.
    """
    limit = PLAN_LIMITS[plan].file_bytes
    if size > limit:
        raise PlanLimitReached(
            what="file_bytes", limit=limit, used=size, plan=plan, upgrade_to=_UPGRADE[plan]
        )


def refuse_if_bulk_too_large(plan: Plan, count: int) -> None:
    """Refuse a request about *count* tasks if that is more than *plan* allows at once.

    :raises PlanLimitReached: it is.
    """
    limit = PLAN_LIMITS[plan].bulk_tasks
    if count > limit:
        raise PlanLimitReached(
            what="bulk_tasks", limit=limit, used=count, plan=plan, upgrade_to=_UPGRADE[plan]
        )


def request_share(plan: Plan) -> int:
    """Return how many times the requests of the smallest plan an API key has in *plan*."""
    return PLAN_LIMITS[plan].requests_per_minute // PLAN_LIMITS[Plan.FREE].requests_per_minute


def audit_since(plan: Plan, now: datetime) -> datetime | None:
    """Return since when the audit log can be read in *plan*, None from its beginning."""
    window = PLAN_LIMITS[plan].audit_window
    return None if window is None else now - window


def audit_window_reached(plan: Plan, age: timedelta) -> "PlanLimitReached":
    """Return the refusal to read what happened *age* ago; it counts in days."""
    return _window_reached(plan, "audit_days", PLAN_LIMITS[plan].audit_window, age)


def past_since(plan: Plan, now: datetime) -> datetime | None:
    """Return since when things can be read as they were in *plan*, None from the beginning."""
    window = PLAN_LIMITS[plan].past_window
    return None if window is None else now - window


def past_window_reached(plan: Plan, age: timedelta) -> "PlanLimitReached":
    """Return the refusal to show things as they were *age* ago; it counts in days."""
    return _window_reached(plan, "past_days", PLAN_LIMITS[plan].past_window, age)


def _window_reached(
    plan: Plan, what: str, window: timedelta | None, age: timedelta
) -> "PlanLimitReached":
    day = timedelta(days=1)
    return PlanLimitReached(
        what=what,
        limit=None if window is None else window // day,
        used=-(-age // day),
        plan=plan,
        upgrade_to=_UPGRADE[plan],
    )


def refuse_custom_workflow(plan: Plan) -> None:
    """Refuse a workflow of a project's own if *plan* has none.

    :raises PlanLimitReached: it has none.
    """
    if not PLAN_LIMITS[plan].custom_workflows:
        raise PlanLimitReached(
            what="custom_workflows", limit=0, used=0, plan=plan, upgrade_to=_UPGRADE[plan]
        )


def refuse_legal_hold(plan: Plan) -> None:
    """Refuse a legal hold if *plan* has none.

    :raises PlanLimitReached: it has none.
    """
    if not PLAN_LIMITS[plan].legal_hold:
        raise PlanLimitReached(
            what="legal_hold", limit=0, used=0, plan=plan, upgrade_to=Plan.PREMIUM
        )


def limit_of(plan: Plan, what: Countable) -> int | None:
    """Return how many of *what* a plan allows, None for any number."""
    limit: int | None = getattr(PLAN_LIMITS[plan], what)
    return limit


def plan_limit_reached(plan: Plan, what: Countable, used: int) -> "PlanLimitReached":
    """Return the refusal of one more of *what* when there are *used* of them."""
    return PlanLimitReached(
        what=what, limit=limit_of(plan, what), used=used, plan=plan, upgrade_to=_UPGRADE[plan]
    )


def plan_full(plan: Plan, what: Countable, used: int) -> "PlanLimitReached":
    """Return the same refusal for somebody who may not see all of them.

    It tells no more than that the limit is reached, because more would count what is hidden.
    """
    limit = limit_of(plan, what)
    return plan_limit_reached(plan, what, used if limit is None else min(used, limit))


class PlanLimitReached(DomainError):
    """You have reached a limit of your plan. Delete something or upgrade to a larger plan."""

    code = "plan_limit"
    refusal = Refusal.OVER_LIMIT
