"""Stories of the command that puts a task before or after another one."""

import asyncio
from itertools import pairwise
from uuid import NAMESPACE_OID, UUID, uuid5

from commands.handler import CommandHandler
from commands.work.task_rank import RankTask, Window
from domain.base import NotFound, TaskId
from domain.work.project.events import ProjectCreated
from domain.work.task.errors import NeighborsChanged, RankedBesideItself, TransitionNotAllowed
from domain.work.task.events import TaskDeleted, TaskRanked, TaskStatus
from domain.work.task.rank import between, rank_of_number
from domain.work.task.state import Task
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, CHILD, HERE, OPS, task, went
from tests.domain.spec import ACME, ANA, TASK
from tests.spec import context, given, on, opened, record

SECOND, THIRD = CHILD, TaskId(UUID(int=41))
THREE = (*HERE, on(SECOND, task(2)), on(THIRD, task(3)))
OTHER = on(OPS, ProjectCreated(key="OPS", name="Other", created_by=ANA))
DOING = TaskStatus.IN_PROGRESS


def rank(beside: TaskId, neighbor: TaskId | None, *, before: bool, **about: object) -> RankTask:
    details: dict[str, object] = {"task_id": THIRD} | about
    return RankTask(beside=beside, neighbor=neighbor, before=before, **details)  # type: ignore[arg-type]  # checked at run time


def ranked(low: int | None, high: int | None, number: int = 3, who: TaskId = THIRD) -> TaskRanked:
    low_end, high_end = (None if n is None else rank_of_number(n) for n in (low, high))
    to = between(low_end, high_end, who)
    assert to is not None
    return TaskRanked(from_=rank_of_number(number), to=to)


class TestRankTask:
    def test_a_task_is_put_before_or_after_another(self) -> None:
        to_front = on(THIRD, ranked(None, 1))
        given(*THREE).when(rank(TASK, None, before=True)).then(to_front)
        given(*THREE).when(rank(TASK, SECOND, before=False)).then(on(THIRD, ranked(1, 2)))
        given(*THREE).when(rank(SECOND, TASK, before=True)).then(on(THIRD, ranked(1, 2)))
        to_end = rank(THIRD, None, before=False, task_id=TASK)
        given(*THREE).when(to_end).then(on(TASK, ranked(3, None, 1, TASK)))

    def test_a_task_that_stands_there_stays(self) -> None:
        given(*THREE).when(rank(SECOND, None, before=False)).then()

    def test_a_move_on_a_board_is_one_command(self) -> None:
        asked = rank(TASK, SECOND, before=False, status=DOING)
        given(*THREE).when(asked).then(ranked(1, 2), *went(DOING))
        stays = rank(SECOND, None, before=False, status=DOING)
        given(*THREE).when(stays).then(*went(DOING))
        wrong = rank(TASK, SECOND, before=False, status=TaskStatus.DONE)
        given(*THREE).when(wrong).then_refused(TransitionNotAllowed)

    def test_the_other_task_must_be_another_of_the_project(self) -> None:
        given(*THREE).when(rank(THIRD, None, before=True)).then_refused(RankedBesideItself)
        other = TaskId(UUID(int=42))
        elsewhere = on(other, task(1, project=OPS, key="OPS"))
        asked = rank(other, None, before=True)
        given(*THREE, OTHER, elsewhere).when(asked).then_refused(NotFound)
        beside = rank(TASK, other, before=False)
        given(*THREE, OTHER, elsewhere).when(beside).then_refused(NeighborsChanged)
        given(*THREE, on(TASK, TaskDeleted())).when(rank(TASK, None, before=True)).then_refused(
            NotFound
        )

    def test_neighbors_that_changed_places_are_noticed(self) -> None:
        asked = rank(SECOND, TASK, before=False)
        given(*THREE).when(asked).then_refused(NeighborsChanged)

    def test_a_gap_without_room_is_made_wider(self) -> None:
        same = on(SECOND, TaskRanked(from_=rank_of_number(2), to=rank_of_number(1)))
        full = rank(TASK, SECOND, before=False)
        given(*THREE, same).when(full).then_refused(NeighborsChanged)
        around = Window((TASK, SECOND), None, None)
        story = given(*THREE, same).when(rank(TASK, SECOND, before=False, around=around))

        assert story.refused is None
        new = {past.stream: event.to for past in story.recorded for event in past.events}  # type: ignore[attr-defined]  # all of them rank a task
        ranks = [new.get(each, rank_of_number(1)) for each in (TASK, THIRD, SECOND)]
        assert all(a < b for a, b in pairwise(ranks))

    def test_a_wider_gap_stays_within_what_is_outside(self) -> None:
        ends = Window((SECOND,), TASK, None)
        asked = rank(SECOND, TASK, before=True, around=ends)
        given(*THREE).when(asked).then(*(event for event in [*_spread(1, 2)]))
        swapped = rank(SECOND, None, before=True, around=Window((SECOND,), None, TASK))
        given(*THREE).when(swapped).then_refused(NeighborsChanged)
        missing = rank(SECOND, TASK, before=True, around=Window((TASK,), None, None))
        given(*THREE).when(missing).then_refused(NeighborsChanged)


def _spread(low: int, second: int) -> list[TaskRanked]:
    first = rank_of_number(low + 1)
    end = rank_of_number(low + 2)
    return [
        TaskRanked(from_=rank_of_number(3), to=first),
        TaskRanked(from_=rank_of_number(second), to=end),
    ]


async def test_ranks_differ_and_hold_however_commands_meet() -> None:
    """Every task is put between the first two at once, by two processes: all of them get there."""
    async with opened(MemoryStore()) as log:
        others = [TaskId(uuid5(NAMESPACE_OID, str(n))) for n in range(40)]
        made = [on(each, task(n + 3)) for n, each in enumerate(others)]
        await record(log, *ACCOUNTS, *HERE, on(SECOND, task(2)), *made)
        handlers = [CommandHandler(log), CommandHandler(log)]

        asked = (rank(TASK, SECOND, before=False, task_id=each) for each in others)
        await asyncio.gather(
            *(handlers[n % 2].handle(each, context()) for n, each in enumerate(asked))
        )

        states = handlers[0].states
        ranks = [(await states.fresh(Task, each, ACME)).rank for each in others]
        assert len(set(ranks)) == len(ranks)
        assert all(rank_of_number(1) < each < rank_of_number(2) for each in ranks)
