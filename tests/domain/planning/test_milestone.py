"""A milestone: its name, its day, its deletion."""

from datetime import date

from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import NotFound
from domain.planning.milestone import (
    Milestone,
    MilestoneCreated,
    MilestoneDated,
    MilestoneDeleted,
    MilestoneEvent,
    MilestoneRenamed,
    MilestoneRestored,
)
from tests.domain.spec import ANA, ENG, NOW, QUICK, check_refused, events_of, given

CREATED = MilestoneCreated(project_id=ENG, name="Beta", created_by=ANA, created_at=NOW)
BETA = given(Milestone(), CREATED)
GONE = given(BETA, MilestoneDeleted(project_id=ENG))
MAY = date(2026, 5, 4)


def test_a_changed_value_is_recorded_and_the_same_one_is_not() -> None:
    dated = given(BETA, *BETA.set_date(MAY))
    assert BETA.rename("GA") == [MilestoneRenamed(project_id=ENG, from_="Beta", to="GA")]
    assert BETA.set_date(MAY) == [MilestoneDated(project_id=ENG, from_=None, to=MAY)]
    assert dated.set_date(None) == [MilestoneDated(project_id=ENG, from_=MAY, to=None)]
    assert BETA.rename("Beta") == BETA.set_date(None) == dated.set_date(MAY) == []


def test_creating_a_milestone_again_records_nothing() -> None:
    assert Milestone().create(CREATED) == [CREATED]
    assert BETA.create(CREATED) == []


def test_a_milestone_in_the_trash_can_only_be_restored() -> None:
    check_refused(
        NotFound,
        lambda: GONE.rename("X"),
        lambda: GONE.set_date(MAY),
        GONE.delete,
        Milestone().delete,
        Milestone().restore,
    )
    assert BETA.delete() == [MilestoneDeleted(project_id=ENG)]
    assert GONE.restore() == [MilestoneRestored(project_id=ENG)]
    assert given(GONE, *GONE.restore()) == BETA
    assert BETA.restore() == []


@QUICK
@forall(st.lists(events_of(MilestoneEvent), max_size=12))
def test_folding_never_raises(events: list[MilestoneEvent]) -> None:
    assert isinstance(given(Milestone(), *events), Milestone)
