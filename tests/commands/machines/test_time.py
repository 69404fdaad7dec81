"""Any sequence of commands on logged time, its totals and its purge, beside the model."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, rule
from msgspec import Struct

from commands.content_counts import minutes_spent_on, worklogs_on
from commands.planning.worklog import ChangeWorklog, DeleteWorklog, LogTime, RestoreWorklog
from commands.work.trash.purge import PurgeContents
from commands.work.trash.things import Thing
from domain.base import ProjectId, TaskId, UserId, WorklogId
from domain.permission import Permission
from domain.work.trash import TrashKind
from eventstore.recorded import Recorded
from projections.planning.worklog import Worklogs
from projections.work.task import Tasks
from tests.commands.machines.patience import examples
from tests.commands.machines.test_relations import Web
from tests.commands.machines.world import NONE, PEOPLE
from tests.domain.spec import ACME, ANA, NOW
from tests.projections.spec import shown

MINUTES = st.sampled_from([1, 30, 1_440])
DAYS = st.integers(-2, 3)
"""From today on: that after tomorrow is refused."""


class Spent(Struct):
    """What the model knows of an entry."""

    task: TaskId
    user: UserId
    minutes: int
    day: date
    deleted_by: UserId | None = None
    purged: bool = False

    @property
    def counts(self) -> bool:
        """Whether its task shows it."""
        return self.deleted_by is None and not self.purged


class Timing(Web):
    """The company, which logs the time that it spends on tasks."""

    projects, tasks = Web.projects, Web.tasks
    entries: Bundle[WorklogId] = Bundle("entries")

    def __init__(self) -> None:
        super().__init__()
        self.spent: dict[WorklogId, Spent] = {}

    def first(self) -> TaskId:
        """Return a task in a project, which are made at first, with an entry."""
        if not self.pieces:
            project = self.create_project(by=ANA, key="FIRST")
            task = self.create_task(project=project, by=ANA)
            self.log_time(task=task, by=ANA, who=ANA, minutes=30, days=0)
        return next(iter(self.pieces))

    @initialize(target=projects)
    def begin_with_a_project(self) -> ProjectId:
        return self.pieces[self.first()].project

    @initialize(target=tasks)
    def begin_with_a_task(self) -> TaskId:
        return self.first()

    @initialize(target=entries)
    def begin_with_an_entry(self) -> WorklogId:
        self.first()
        return next(iter(self.spent))

    def on_time(self, task: TaskId, by: UserId) -> bool:
        """Return whether somebody may log time on *task*."""
        project = self.pieces[task].project
        here = self.shown(task) and self.editable(project)
        return self.may(by, Permission.WORKLOG_LOG, project) and here

    def is_theirs(self, whose: UserId, by: UserId) -> bool:
        return by == whose or self.may(by, Permission.WORKLOG_MANAGE)

    @rule(target=entries, task=tasks, by=PEOPLE, who=PEOPLE, minutes=MINUTES, days=DAYS)
    def log_time(self, task: TaskId, by: UserId, who: UserId, minutes: int, days: int) -> Any:
        entry, day = WorklogId(uuid4()), NOW.date() + timedelta(days=days)
        command = LogTime(worklog_id=entry, task_id=task, minutes=minutes, day=day, user_id=who)
        right = self.on_time(task, by) and self.is_theirs(who, by) and days <= 1
        right = right and self.sees(who, self.pieces[task].project) and who in self.roles
        if not self.passes(command, by, right):
            return NONE
        self.spent[entry] = Spent(task, who, minutes, day)
        return entry

    @rule(entry=entries, by=PEOPLE, minutes=MINUTES, days=DAYS)
    def change_time(self, entry: WorklogId, by: UserId, minutes: int, days: int) -> None:
        spent, day = self.spent[entry], NOW.date() + timedelta(days=days)
        command = ChangeWorklog(task_id=spent.task, worklog_id=entry, minutes=minutes, day=day)
        right = self.on_time(spent.task, by) and self.is_theirs(spent.user, by)
        right = right and spent.counts and (days <= 1 or day == spent.day)
        if self.passes(command, by, right):
            spent.minutes, spent.day = minutes, day

    @rule(entry=entries, by=PEOPLE, back=st.booleans())
    def delete_or_restore_time(self, entry: WorklogId, by: UserId, back: bool) -> None:
        spent = self.spent[entry]
        own = (spent.deleted_by if back else None) or spent.user
        right = self.on_time(spent.task, by) and self.is_theirs(own, by) and not spent.purged
        right = right and (back or spent.deleted_by is None)
        kind = RestoreWorklog if back else DeleteWorklog
        if self.passes(kind(task_id=spent.task, worklog_id=entry), by, right):
            spent.deleted_by = None if back else by

    @rule(entry=entries, by=PEOPLE)
    def purge_time(self, entry: WorklogId, by: UserId) -> None:
        if self.purges(Thing(TrashKind.WORKLOG, entry), by):
            self.spent[entry].purged = True

    @rule(task=tasks)
    def purge_time_of_task(self, task: TaskId) -> None:
        things = tuple(Thing(TrashKind.WORKLOG, each) for each in self.spent)
        command = PurgeContents(within=Thing(TrashKind.TASK, task), things=things)
        if self.passes(command, ANA, task in self.purged and not self.held):
            for entry, spent in self.spent.items():
                if spent.task == task:
                    spent.purged = True
                    self.purged.add(entry)

    def is_trashed(self, thing: Thing) -> bool:
        spent = self.spent.get(WorklogId(thing.id))
        return super().is_trashed(thing) if spent is None else spent.deleted_by is not None

    def minutes_on(self, task: TaskId) -> int:
        return sum(
            each.minutes for each in self.spent.values() if each.task == task and each.counts
        )

    # What must hold ---------------------------------------------------------

    @invariant()
    def entries_and_their_minutes_are_counted(self) -> None:
        keys = {}
        for task in self.pieces:
            here = sum(each.task == task and each.counts for each in self.spent.values())
            keys[worklogs_on(ACME, task)] = here
            keys[minutes_spent_on(ACME, task)] = self.minutes_on(task)
        assert self.run(self.log.counted(*keys)) == list(keys.values())

    @invariant()
    def replaying_the_log_gives_the_time(self) -> None:
        for entry, spent in self.spent.items():
            found = self.replayed(entry)
            told = (found.task_id, found.user_id, found.minutes, found.day, found.deleted_by)
            assert told == (spent.task, spent.user, spent.minutes, spent.day, spent.deleted_by)
            assert (found.purged, found.deleted) == (spent.purged, not spent.counts)

    async def check_the_end(self) -> None:
        await super().check_the_end()
        events = await self.log.tail(0, 10_000)
        for told in (events, _twice(events)):
            documents = shown(Worklogs(), *(e for e in told if e.tag in Worklogs.tags))
            assert len(documents) == len(self.spent)
            for entry, spent in self.spent.items():
                document = documents[f"{ACME}:{entry}"]
                view = msgspec.json.decode(document.json)
                seen = (view["taskId"], view["userId"], view["minutes"], view["date"])
                expected = (str(spent.task), str(spent.user), spent.minutes, str(spent.day))
                assert seen == expected
                assert document.fields["spent"] == f"{spent.day}!{entry}"
                assert document.deleted is not spent.counts
            listed = shown(Tasks(), *(e for e in told if e.tag in Tasks.tags))
            for task in set(self.pieces) - self.purged:
                view = msgspec.json.decode(listed[f"{ACME}:{task}"].json)
                assert view["timeSpentMinutes"] == self.minutes_on(task)


def _twice(events: list[Recorded]) -> list[Recorded]:
    """Return *events* as a projector gets them that begins again: some for the second time."""
    half = len(events) // 2
    return [*events[: half + 5], *events[half:]]


Timing.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=40)
TestTiming = Timing.TestCase
