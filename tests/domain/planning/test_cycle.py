"""A cycle: its name, its days, its deletion."""

from datetime import date, timedelta

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import NotFound
from domain.planning.cycle import (
    CYCLE_DAYS_MAX,
    Cycle,
    CycleCreated,
    CycleDates,
    CycleDeleted,
    CycleEvent,
    CycleNotValid,
    CycleRenamed,
    CycleRescheduled,
    CycleRestored,
)
from tests.domain.spec import ANA, ENG, NOW, QUICK, check_refused, events_of, given

MAY = CycleDates(starts_on=date(2026, 5, 4), ends_on=date(2026, 5, 15))


def created(dates: CycleDates = MAY) -> CycleCreated:
    return CycleCreated(project_id=ENG, name="One", dates=dates, created_by=ANA, created_at=NOW)


ONE = given(Cycle(), created())
GONE = given(ONE, CycleDeleted(project_id=ENG))


def lasting(days: int) -> CycleDates:
    return CycleDates(starts_on=MAY.starts_on, ends_on=MAY.starts_on + timedelta(days=days - 1))


def test_a_changed_value_is_recorded_and_the_same_one_is_not() -> None:
    longer = lasting(20)
    assert ONE.rename("Two") == [CycleRenamed(project_id=ENG, from_="One", to="Two")]
    assert ONE.reschedule(longer) == [CycleRescheduled(project_id=ENG, from_=MAY, to=longer)]
    assert ONE.rename("One") == ONE.reschedule(MAY) == []
    assert given(ONE, *ONE.reschedule(longer)).dates == longer


@pytest.mark.parametrize("days", [1, CYCLE_DAYS_MAX])
def test_a_cycle_lasts_a_day_to_a_quarter(days: int) -> None:
    assert Cycle().create(created(lasting(days))) == [created(lasting(days))]
    assert len(lasting(days).days) == days


@pytest.mark.parametrize("days", [-1, 0, CYCLE_DAYS_MAX + 1])
def test_a_cycle_of_another_length_is_refused(days: int) -> None:
    wrong = lasting(days)
    check_refused(
        CycleNotValid, lambda: Cycle().create(created(wrong)), lambda: ONE.reschedule(wrong)
    )


def test_creating_a_cycle_again_records_nothing() -> None:
    assert ONE.create(created()) == []


def test_a_cycle_in_the_trash_can_only_be_restored() -> None:
    check_refused(
        NotFound,
        lambda: GONE.rename("X"),
        lambda: GONE.reschedule(lasting(3)),
        GONE.delete,
        Cycle().delete,
        Cycle().restore,
    )
    assert ONE.delete() == [CycleDeleted(project_id=ENG)]
    assert GONE.restore() == [CycleRestored(project_id=ENG)]
    assert given(GONE, *GONE.restore()) == ONE
    assert ONE.restore() == []


@QUICK
@forall(st.lists(events_of(CycleEvent), max_size=12))
def test_folding_never_raises(events: list[CycleEvent]) -> None:
    assert isinstance(given(Cycle(), *events), Cycle)
