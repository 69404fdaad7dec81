"""Every event that can be undone is taken back, and every other one says why it cannot be."""

import pytest

from commands.undo.answers import RESTORING, REVERSIBLE, answer_to
from commands.undo.changed import Final
from domain.catalog import PUBLIC_EVENT_TYPES, tag_of
from domain.undo import ChangesUndone, undo_of
from domain.work.task import events as task
from tests.commands.acme import CREATED, PROJECT, TEAM
from tests.commands.undo.content_rows import CONTENT_ROWS
from tests.commands.undo.plan_rows import PLAN_ROWS
from tests.commands.undo.project_rows import PROJECT_ROWS
from tests.commands.undo.rows import MOVED, SPARE, Row
from tests.commands.undo.task_rows import TASK_ROWS
from tests.commands.undo.template_rows import TEMPLATE_ROWS
from tests.commands.undo.undoing import NAME, recalled, undoing
from tests.domain.spec import ACME, ENG, TASK
from tests.spec import given, on

ROWS = [*TASK_ROWS, *CONTENT_ROWS, *PROJECT_ROWS, *PLAN_ROWS, *TEMPLATE_ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: tag_of(row.past.events[-1]))
def test_an_event_is_taken_back(row: Row) -> None:
    undone = ChangesUndone(correlation_id=NAME, done=1, conflicts=0)

    given(*row.beside, row.past).when(undoing(recalled(row.past))).then(
        on(row.past.stream, *row.then), on(undo_of(ACME, NAME), undone)
    )


def test_a_moved_task_goes_back_to_its_project_where_it_was() -> None:
    past = on(TASK, CREATED, MOVED)

    outcome = given(TEAM, PROJECT, SPARE, past).when(undoing(recalled(past)))

    moved, ranked, undone = [each.events[0] for each in outcome.recorded]
    assert isinstance(moved, task.TaskMoved)
    assert (moved.project_id, moved.from_key, moved.number) == (ENG, "OPS-1", 2)
    assert isinstance(ranked, task.TaskRanked)
    assert isinstance(undone, ChangesUndone)


def test_every_event_can_be_undone_or_says_why_not() -> None:
    answers = {tag: answer_to(kind) for tag, kind in PUBLIC_EVENT_TYPES.items()}

    assert [
        tag for tag, each in answers.items() if isinstance(each, Final) and not each.because
    ] == []
    undone = {type(row.past.events[-1]) for row in ROWS} | {task.TaskMoved}
    assert undone == {kind for kind, each in REVERSIBLE.items() if not isinstance(each, Final)}
    assert {*RESTORING} < undone
