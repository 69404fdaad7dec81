"""A saved view: who has it, what it shows, its deletion."""

from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import NotFound
from domain.planning.criteria import Criteria, criteria_texts
from domain.planning.view import (
    SavedView,
    ViewColumnsChanged,
    ViewCreated,
    ViewDeleted,
    ViewEvent,
    ViewFiltered,
    ViewOfAnother,
    ViewRenamed,
    ViewRestored,
    ViewShared,
    ViewSorted,
    ViewUnshared,
)
from domain.work.task.events import Priority
from tests.domain.spec import ANA, BEN, ENG, NOW, QUICK, check_refused, events_of, given

CREATED = ViewCreated(project_id=ENG, name="Late", created_by=ANA, created_at=NOW)
LATE = given(SavedView(), CREATED)
SHARED = given(LATE, ViewShared())
GONE = given(LATE, ViewDeleted())
URGENT = Criteria(priority=(Priority.HIGH, Priority.URGENT), overdue=True)


def test_a_private_view_is_there_for_its_owner_alone_and_a_shared_one_for_everybody() -> None:
    assert LATE.is_there_for(ANA)
    assert not LATE.is_there_for(BEN)
    assert SHARED.is_there_for(BEN)
    assert not given(SHARED, ViewUnshared()).is_there_for(BEN)
    assert not SavedView().is_there_for(None)


def test_only_the_owner_shares_a_view_and_makes_it_private() -> None:
    assert LATE.share(shared=True, by=ANA) == [ViewShared()]
    assert SHARED.share(shared=False, by=ANA) == [ViewUnshared()]
    assert SHARED.share(shared=True, by=BEN) == LATE.share(shared=False, by=ANA) == []
    check_refused(ViewOfAnother, lambda: SHARED.share(shared=False, by=BEN))


def test_what_a_view_shows_is_recorded_when_it_changes() -> None:
    filtered = ViewFiltered(criteria=URGENT, values="size:s,size:m")
    urgent = given(LATE, filtered)

    assert LATE.filter_by(URGENT, ("size:s", "size:m")) == [filtered]
    assert urgent.criteria == ("priority:HIGH", "priority:URGENT", "overdue:true")
    assert urgent.values == ("size:s", "size:m")
    assert urgent.filter_by(URGENT, ("size:s", "size:m")) == []
    assert urgent.filter_by(URGENT, ()) == [ViewFiltered(criteria=URGENT)]
    assert LATE.sort_by("-due") == [ViewSorted(from_="newest", to="-due")]
    assert LATE.show_columns(("title",)) == [ViewColumnsChanged(columns=("title",))]
    assert LATE.rename("Later") == [ViewRenamed(from_="Late", to="Later")]
    assert LATE.rename("Late") == LATE.sort_by("newest") == LATE.show_columns(()) == []


def test_each_value_of_a_filter_is_one_text() -> None:
    several = Criteria(
        label=(str(ANA).upper(), str(BEN)),
        assignee=("me", "none"),
        due="2026-01-01..",
        blocked=False,
    )

    assert criteria_texts(several) == (
        "assignee:me",
        "assignee:none",
        f"label:{ANA}",
        f"label:{BEN}",
        "due:2026-01-01..",
        "blocked:false",
    )


def test_creating_a_view_again_records_nothing() -> None:
    assert SavedView().create(CREATED) == [CREATED]
    assert LATE.create(CREATED) == []


def test_a_view_in_the_trash_can_only_be_restored() -> None:
    check_refused(
        NotFound,
        lambda: GONE.rename("X"),
        lambda: GONE.share(shared=True, by=ANA),
        lambda: GONE.filter_by(URGENT, ()),
        lambda: GONE.sort_by("due"),
        lambda: GONE.show_columns(("title",)),
        GONE.delete,
        SavedView().delete,
        SavedView().restore,
    )
    assert LATE.delete() == [ViewDeleted(project_id=LATE.project_id, owner=LATE.created_by)]
    assert GONE.restore() == [ViewRestored()]
    assert given(GONE, *GONE.restore()) == LATE
    assert LATE.restore() == []


@QUICK
@forall(st.lists(events_of(ViewEvent), max_size=12))
def test_folding_never_raises(events: list[ViewEvent]) -> None:
    assert isinstance(given(SavedView(), *events), SavedView)
