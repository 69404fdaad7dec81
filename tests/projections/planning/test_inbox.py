"""An inbox shows what a plain model of who did what shows, by both engines alike."""

import random
from collections.abc import Collection
from typing import Any
from uuid import UUID

import pytest

from domain.base import CommentId, ProjectId, TaskId, UserId
from domain.work.comment import CommentEdited, CommentPosted, ReactionAdded
from domain.work.task.events import (
    Priority,
    TaskAssigned,
    TaskCreated,
    TaskDeleted,
    TaskPriorityChanged,
    TaskRanked,
    TaskRestored,
    TaskRetitled,
    TaskUnassigned,
    TaskUnwatched,
    TaskWatched,
)
from domain.work.task.mentions import TaskMentioned
from domain.work.task.state import Task
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from eventstore.recorded import Actor, ActorKind
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.engine.store import ReadStore
from projections.planning.inbox import InboxNoticeKind, Reading, notices_of, watched_tasks
from projections.work.activity import Activity
from tests.commands.acme import ACCOUNTS, FILE, HERE, OPS, attachment, comment, task
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, OTHER, TASK
from tests.projections.engine.test_find import SLOW, Asked
from tests.projections.spec import live, models_of, project_all
from tests.spec import on, opened, record

STEPS = 150
LAB = ProjectId(UUID(int=24))
"""A project that those who ask do not see."""
PEOPLE = (ANA, BEN, CLEO)
InboxEntry = tuple[int, InboxNoticeKind, UUID]
_OWN = {InboxNoticeKind.ASSIGNED, InboxNoticeKind.MENTIONED, InboxNoticeKind.REACTED}
"""What somebody is told whether they watch the task or not."""


class Office:
    """Tasks as people work on them, and what each of them was told."""

    def __init__(self, log: EventLog, seed: int) -> None:
        self.log, self.chance = log, random.Random(seed)  # noqa: S311 - the same story each time
        self.tasks: dict[UUID, Task] = {TASK: Task().evolve(task(1))}
        self.happened: list[tuple[int, UUID, UUID, Any]] = []
        self.said: list[tuple[CommentId, UUID, UserId, tuple[UserId, ...]]] = []

    async def step(self, number: int) -> None:
        """Let somebody do one thing to one task, or create one."""
        by = self.chance.choice(PEOPLE)
        if number % 6 == 0:
            project = self.chance.choice([ENG, OPS, LAB])
            await self._do(by, UUID(int=80_000 + number), task(number, by=by, project=project))
            return
        stream = self.chance.choice([*self.tasks])
        if self.chance.random() < 0.3:
            some = tuple(self.chance.sample(PEOPLE, self.chance.randint(0, 2)))
            said = comment(by=by, mentions=some, task_id=TaskId(stream))
            self.said.append((CommentId(UUID(int=90_000 + number)), stream, by, some))
            await self._do(by, stream, said, self.said[-1][0])
            return
        if self.said and self.chance.random() < 0.15:
            await self._edit(self.chance.randrange(len(self.said)))
            return
        if self.said and self.chance.random() < 0.25:
            await self._react(by, *self.chance.choice(self.said)[:3])
            return
        await self._do(by, stream, self._something(self.tasks[stream]))

    async def _react(self, by: UserId, stream: CommentId, about: UUID, author: UserId) -> None:
        """Let somebody react to a comment."""
        liked = ReactionAdded(task_id=TaskId(about), emoji="👍", user_id=by, author=author)
        await self._do(by, about, liked, stream)

    async def _edit(self, which: int) -> None:
        """Let the author of a comment mention others."""
        stream, about, by, before = self.said[which]
        some = tuple(self.chance.sample(PEOPLE, self.chance.randint(0, 3)))
        added = tuple(each for each in some if each not in before)
        self.said[which] = (stream, about, by, some)
        edited = CommentEdited(task_id=TaskId(about), body="Well?", mentions=some, added=added)
        await self._do(by, about, edited, stream)

    def _something(self, known: Task) -> Any:
        if known.deleted:
            return TaskRestored()
        user, dice = self.chance.choice(PEOPLE), self.chance.random()
        if dice < 0.35:
            there = user in known.assignees
            return TaskUnassigned(user_id=user) if there else TaskAssigned(user_id=user)
        if dice < 0.6:
            there = user in known.watchers
            return TaskUnwatched(user_id=user) if there else TaskWatched(user_id=user)
        if dice < 0.65:
            return TaskDeleted()
        return self.chance.choice(
            [
                TaskMentioned(mentions=(user,), added=() if user in known.mentions else (user,)),
                TaskRetitled(from_=known.title, to=f"Title {dice}"),
                TaskRanked(from_=known.rank, to=f"a{dice}"),
                TaskPriorityChanged(from_=known.priority, to=Priority.URGENT),
            ]
        )

    async def _do(self, by: UUID, task_id: UUID, event: Any, stream: UUID | None = None) -> None:
        await record(self.log, on(stream or task_id, event), by=Actor(ActorKind.USER, by))
        seq = await self.log.organization_head(ACME)
        self.happened.append((seq, by, task_id, event))
        if stream is None:
            self.tasks[task_id] = self.tasks.get(task_id, Task()).evolve(event)

    def told(self, user: UUID) -> list[InboxEntry]:
        """Return what the inbox of *user* shows, the newest first."""
        found: list[InboxEntry] = []
        for seq, by, task_id, event in reversed(self.happened):
            known = self.tasks[task_id]
            kind = None if by == user else _kind(event, user)
            watching = user in known.watchers and not known.deleted
            own = kind in _OWN
            if kind is not None and known.project_id in {ENG, OPS} and (own or watching):
                found.append((seq, kind, task_id))
        return [each for each in found if not self.tasks[each[2]].deleted]


def _kind(event: Any, user: UUID) -> InboxNoticeKind | None:
    match event:
        case TaskAssigned(user_id=assigned) if assigned == user:
            return InboxNoticeKind.ASSIGNED
        case CommentPosted():
            return (
                InboxNoticeKind.MENTIONED if user in event.mentions else InboxNoticeKind.COMMENTED
            )
        case ReactionAdded():
            return InboxNoticeKind.REACTED if event.author == user else None
        case CommentEdited() | TaskMentioned():
            return InboxNoticeKind.MENTIONED if user in event.added else None
        case TaskCreated() | TaskRanked() | TaskWatched() | TaskUnwatched():
            return None
        case _:
            return InboxNoticeKind.CHANGED


async def shown(
    models: ReadModels, user: Any, office: Office, archived: Collection[str] = (), above: int = 0
) -> list[InboxEntry]:
    """Return the notices of *user* about tasks that they see, read four at a time."""
    watched = await watched_tasks(models, ACME, [ENG, OPS], user)
    found: list[InboxEntry] = []
    below: int | None = None
    while True:
        reading = Reading(
            org_id=ACME,
            user_id=user,
            watched=watched.keys(),
            archived=frozenset(archived),
            below=below,
            above=above or None,
        )
        page, below = await notices_of(models, reading, 4)
        assert len(page) == 4 or (below is None and len(page) < 4)
        found += [(each.seq, each.kind, each.task_id) for each in page]
        if below is None:
            break
    here = {i for i, t in office.tasks.items() if t.project_id in {ENG, OPS} and not t.deleted}
    return [each for each in found if each[2] in here]


@pytest.mark.parametrize("seed", [1, 2])
async def test_an_inbox_equals_what_others_did(
    store: ReadStore, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.planning.inbox._AT_ONCE", 2)
    monkeypatch.setattr("projections.engine.find.FILLING_MAX_S", 60.0)
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        office = Office(log, seed)
        for number in range(2, STEPS):
            await office.step(number)
        await project_all(log, store)
        models = models_of(store)

        kinds: set[InboxNoticeKind] = set()
        for user in PEOPLE:
            told = office.told(user)
            assert await shown(models, user, office) == told
            middle, away = told[len(told) // 2][0], {str(seq) for seq, *_ in told[::3]}
            unread = [each for each in told if each[0] > middle]
            assert await shown(models, user, office, above=middle) == unread
            but_first = {str(seq) for seq, *_ in told[:-1]}
            assert await shown(models, user, office, archived=but_first) == told[-1:]
            left = [each for each in told if str(each[0]) not in away]
            assert await shown(models, user, office, archived=away) == left
            kinds |= {kind for _, kind, _ in told}
        assert kinds == {*InboxNoticeKind} - {InboxNoticeKind.DUE_SOON}


async def test_a_file_is_a_change_of_its_task(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        await record(log, on(FILE, attachment()), by=Actor(ActorKind.USER, BEN))
        await project_all(log, store)

    reading = Reading(org_id=ACME, user_id=ANA, watched=[TASK])
    [notice], below = await notices_of(models_of(store), reading, 4)

    assert (notice.type, notice.kind, notice.task_id, below) == (
        "attachment.uploaded",
        InboxNoticeKind.CHANGED,
        TASK,
        None,
    )


async def test_an_index_answers_every_inbox(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        await project_all(log, store)
    (models := Asked(store, Progress(store), PROJECTIONS)).queries = []

    for watched in ([], [TASK], [TaskId(UUID(int=n)) for n in range(300)]):
        reading = Reading(org_id=ACME, user_id=ANA, watched=watched, below=9_999, above=0)
        await notices_of(models, reading, 5)
    assert not (await notices_of(models, Reading(org_id=OTHER, user_id=ANA, watched=[]), 5))[0]

    target = await live(store, Activity())
    for query in models.queries:
        plan = await store.explain(target, query)
        assert "by_org_about_seq" in plan, f"{query}: {plan}"
        # SQLite may merge the few rows of the things that are looked at: the index sorts each.
        slow = [word for word in SLOW if word in plan and word != "TEMP B-TREE"]
        assert slow == [], f"{query}: {plan}"
