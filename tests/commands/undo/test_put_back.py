"""A task goes back to a status or a rank that it had, by rules of its own."""

from commands.base import NotPermitted
from commands.undo.task import PutBackAtRank, PutBackInStatus
from domain.base import NotFound
from domain.work.project.errors import ProjectIsArchived, ProjectOnHold
from domain.work.project.events import ProjectArchived, ProjectPutOnHold
from domain.work.relation import RelationAdded, RelationKind, graph_of
from domain.work.task.errors import BlockersOpen
from domain.work.task.events import TaskRanked, TaskStatus
from domain.work.task.rank import rank_of_number
from domain.work.workflow.errors import UnknownStatus
from domain.work.workflow.events import Guard
from tests.commands.acme import CHILD, CREATED, HERE, OPENED, TEAM, task, went
from tests.commands.undo.rows import DELETED
from tests.domain.spec import ACME, CLEO, ENG, NOW, TASK, stepped
from tests.spec import given, on

TODO, DOING, REVIEW = TaskStatus.TODO, TaskStatus.IN_PROGRESS, TaskStatus.IN_REVIEW
DONE = TaskStatus.DONE


def back(to: str) -> PutBackInStatus:
    return PutBackInStatus(task_id=TASK, to=to)


class TestPutBackInStatus:
    def test_it_goes_back_where_no_transition_leads(self) -> None:
        past = on(TASK, CREATED, *went(DOING, REVIEW))

        given(TEAM, on(ENG, OPENED), past).when(back(TODO)).then(stepped(REVIEW, TODO))

    def test_it_stays_if_it_is_there(self) -> None:
        given(*HERE).when(back(TODO)).then()

    def test_the_guards_of_what_leads_there_hold(self) -> None:
        blocked = RelationAdded(kind=RelationKind.BLOCKS, from_=CHILD, to=TASK, open=True)
        related = on(graph_of(ACME), blocked)
        past = (*HERE, on(CHILD, task(number=2)), related)

        given(*past).when(back(DONE)).then_refused(BlockersOpen)

    def test_it_is_told_which_guards_were_asked(self) -> None:
        [found] = given(*HERE).when(back(DONE)).recorded[0].events

        assert getattr(found, "guards", None) == (Guard.NO_OPEN_BLOCKER, Guard.NO_OPEN_SUBTASK)
        assert getattr(found, "at", None) == NOW

    def test_a_status_that_is_gone_is_refused(self) -> None:
        given(*HERE).when(back("NEVER")).then_refused(UnknownStatus)

    def test_not_everybody_may_reopen(self) -> None:
        past = on(TASK, CREATED, *went(DOING, DONE))

        given(TEAM, on(ENG, OPENED), past).when(back(DOING), by=CLEO).then_refused(NotPermitted)

    def test_nothing_begins_in_a_project_on_hold(self) -> None:
        held = (TEAM, on(ENG, OPENED, ProjectPutOnHold()), on(TASK, CREATED))

        given(*held).when(back(DOING)).then_refused(ProjectOnHold)

    def test_nothing_changes_in_an_archived_project(self) -> None:
        archived = (TEAM, on(ENG, OPENED, ProjectArchived()), on(TASK, CREATED, *went(DOING)))

        given(*archived).when(back(TODO)).then_refused(ProjectIsArchived)

    def test_what_is_in_the_trash_is_not_there(self) -> None:
        gone = (TEAM, on(ENG, OPENED), on(TASK, CREATED, DELETED))

        given(*gone).when(back(DOING)).then_refused(NotFound)


class TestPutBackAtRank:
    def test_it_gets_the_rank(self) -> None:
        asked = PutBackAtRank(task_id=TASK, rank="b")

        given(*HERE).when(asked).then(TaskRanked(from_=rank_of_number(1), to="b"))

    def test_it_stays_if_it_has_it(self) -> None:
        given(*HERE).when(PutBackAtRank(task_id=TASK, rank=rank_of_number(1))).then()

    def test_nothing_changes_in_an_archived_project(self) -> None:
        archived = (TEAM, on(ENG, OPENED, ProjectArchived()), on(TASK, CREATED))
        asked = PutBackAtRank(task_id=TASK, rank="b")

        given(*archived).when(asked).then_refused(ProjectIsArchived)
