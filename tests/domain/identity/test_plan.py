"""The limits of plans: reached exactly, and told to those who may know."""

from collections.abc import Callable

import pytest

from domain.identity.plan import (
    PLAN_LIMITS,
    Countable,
    Plan,
    PlanLimitReached,
    limit_of,
    plan_full,
    plan_limit_reached,
    refuse_custom_workflow,
    refuse_if_bulk_too_large,
    refuse_if_file_too_large,
    refuse_if_full,
)

BASIC = PLAN_LIMITS[Plan.BASIC]


def refusal(ask: Callable[[], None]) -> dict[str, object]:
    """Return what a refusal tells."""
    with pytest.raises(PlanLimitReached) as refused:
        ask()
    return dict(refused.value.details)


@pytest.mark.parametrize("plan", Plan)
def test_the_largest_file_and_request_of_a_plan_are_within_it(plan: Plan) -> None:
    limits = PLAN_LIMITS[plan]
    refuse_if_file_too_large(plan, limits.file_bytes)
    refuse_if_bulk_too_large(plan, limits.bulk_tasks)

    file = refusal(lambda: refuse_if_file_too_large(plan, limits.file_bytes + 1))
    bulk = refusal(lambda: refuse_if_bulk_too_large(plan, limits.bulk_tasks + 1))

    assert (file["what"], file["limit"]) == ("file_bytes", limits.file_bytes)
    assert (bulk["what"], bulk["used"]) == ("bulk_tasks", limits.bulk_tasks + 1)


@pytest.mark.parametrize("what", Countable)
def test_the_last_place_of_a_plan_is_free_until_it_is_taken(what: Countable) -> None:
    limit = limit_of(Plan.BASIC, what)
    assert limit is not None
    refuse_if_full(Plan.BASIC, what, limit - 1)

    told = refusal(lambda: refuse_if_full(Plan.BASIC, what, limit))

    assert told["what"] is what
    assert (told["plan"], told["upgrade_to"]) == (Plan.BASIC, Plan.PREMIUM)


def test_whoever_may_not_see_everything_learns_no_more_than_the_limit() -> None:
    over = BASIC.tasks or 0
    assert plan_limit_reached(Plan.BASIC, Countable.TASKS, over + 7).details["used"] == over + 7
    assert plan_full(Plan.BASIC, Countable.TASKS, over + 7).details["used"] == over
    assert plan_full(Plan.PREMIUM, Countable.TASKS, 7).details["used"] == 7


def test_workflows_of_ones_own_begin_with_basic() -> None:
    assert refusal(lambda: refuse_custom_workflow(Plan.FREE))["what"] == "custom_workflows"
    for plan in (Plan.BASIC, Plan.PREMIUM):
        refuse_custom_workflow(plan)
