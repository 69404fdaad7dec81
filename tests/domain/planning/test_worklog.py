"""Logged time: how much, on which day, its change, its trash."""

from datetime import date, timedelta

from hypothesis import given as forall
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.base import ERASED, NotFound
from domain.planning.worklog import (
    FIRST_DAY,
    DayOutOfRange,
    Worklog,
    WorklogAdded,
    WorklogChanged,
    WorklogDeleted,
    WorklogEvent,
    WorklogImported,
    WorklogPurged,
    WorklogRestored,
    refuse_unless_loggable,
)
from domain.work.task.imported import TaskOrigin
from tests.domain.spec import ANA, BEN, ENG, NOW, QUICK, TASK, check_refused, events_of, given

MAY = date(2026, 5, 4)
ADDED = WorklogAdded(
    task_id=TASK,
    user_id=BEN,
    minutes=30,
    day=MAY,
    note="Oiled",
    created_by=ANA,
    created_at=NOW,
)
ENTRY = given(Worklog(), ADDED)
DELETED = WorklogDeleted(task_id=TASK, minutes=30, deleted_by=ANA, project_id=ENG, owner=BEN)
GONE = given(ENTRY, DELETED)


def test_a_changed_value_is_recorded_with_how_much_more_time_it_is() -> None:
    for minutes, by in ((45, 15), (10, -20), (30, 0)):
        changed = WorklogChanged(task_id=TASK, minutes=minutes, by=by, day=MAY, note=None)
        assert ENTRY.change(minutes, MAY, None) == [changed]
        assert given(ENTRY, changed).minutes == minutes
    later = MAY + timedelta(days=1)
    [moved] = ENTRY.change(30, later, "Oiled")
    assert given(ENTRY, moved).day == later
    assert ENTRY.change(30, MAY, "Oiled") == []


def test_logging_an_entry_again_records_nothing() -> None:
    assert Worklog().add(ADDED) == [ADDED]
    assert ENTRY.add(ADDED) == []


def test_an_entry_in_the_trash_can_only_be_restored() -> None:
    check_refused(
        NotFound,
        lambda: GONE.change(5, MAY, None),
        lambda: GONE.delete(ANA, ENG),
        lambda: Worklog().change(5, MAY, None),
        lambda: Worklog().delete(ANA, ENG),
        Worklog().restore,
    )
    assert ENTRY.delete(ANA, ENG) == [DELETED]
    assert GONE.restore() == [WorklogRestored(task_id=TASK, minutes=30)]
    assert given(GONE, *GONE.restore()) == ENTRY
    assert ENTRY.restore() == []


def test_time_of_nobody_here_is_that_of_whoever_imported_it() -> None:
    came = WorklogImported(task_id=TASK, external_id="7", author="Jo")
    imported = given(Worklog(), replace(ADDED, user_id=None), came)

    assert (ENTRY.whose, imported.whose, Worklog().whose) == (BEN, ANA, None)
    assert [event.owner for event in imported.delete(BEN, ENG)] == [ANA]  # type: ignore[union-attr]  # it is deleted
    assert ENTRY.origin is None
    assert imported.origin == TaskOrigin(external_id="7", author="Jo")


def test_a_purged_entry_keeps_its_time_but_not_its_note() -> None:
    purged = given(GONE, WorklogPurged(task_id=TASK))

    assert (purged.note, purged.minutes, purged.user_id) == (ERASED, 30, BEN)
    check_refused(NotFound, purged.restore, lambda: purged.change(5, MAY, None))
    without = given(ENTRY, *ENTRY.change(30, MAY, None), WorklogPurged(task_id=TASK))
    assert without.note is None


def test_time_is_logged_for_a_day_up_to_tomorrow() -> None:
    for day in (FIRST_DAY, MAY, MAY + timedelta(days=1)):
        refuse_unless_loggable(day, MAY)
    check_refused(
        DayOutOfRange,
        lambda: refuse_unless_loggable(FIRST_DAY - timedelta(days=1), MAY),
        lambda: refuse_unless_loggable(MAY + timedelta(days=2), MAY),
    )


@QUICK
@forall(st.lists(events_of(WorklogEvent), max_size=12))
def test_folding_never_raises(events: list[WorklogEvent]) -> None:
    assert isinstance(given(Worklog(), *events), Worklog)
