"""Our own writers: each has its own task and sends the next command after the reply."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from benchmarks.harness.pace import Pace
from benchmarks.harness.seeding import IP, ROUND_TRIP, USER_AGENT, Office, open_log
from commands.work.task import ChangeTaskStatus
from domain.base import OrgId, TaskId
from domain.work.task.events import TaskStatus, TaskStatusChanged
from eventstore.append import Append
from eventstore.codec import encode, seal_origin
from eventstore.recorded import Metadata, microseconds
from eventstore.store import Store


class Writers:
    """As many writers as there are tasks, on one event loop."""

    def __init__(
        self, office: Office, organization: int, tasks: list[TaskId], busy_tasks: list[TaskId]
    ) -> None:
        self.log, self._office, self._organization = office.log, office, organization
        self._appended = dict.fromkeys(tasks, 1)
        self._commanded = dict.fromkeys(busy_tasks, 0)
        self.loop_us: list[float] = []
        self.writer_us: list[float] = []

    async def append(self, seconds: float) -> Pace:
        """Encode and append one event at a time; measure the CPU time per command and thread."""
        writer = next(t for t in threading.enumerate() if t.name == "log-writer")
        clock = time.pthread_getcpuclockid(writer.ident or 0)
        loop_before, writer_before = time.thread_time(), time.clock_gettime(clock)
        pace = await _for_a_while(seconds, self._append, list(self._appended))
        self.loop_us.append((time.thread_time() - loop_before) / pace.done * 1e6)
        self.writer_us.append((time.clock_gettime(clock) - writer_before) / pace.done * 1e6)
        return pace

    async def append_ready(self, commands_each: int) -> Pace:
        """Append events that were encoded beforehand."""
        tasks = list(self._appended)
        ready = {task: [self._next(task) for _ in range(commands_each)] for task in tasks}

        async def work(task: TaskId) -> None:
            for append in ready[task]:
                await self.log.append(append)

        pace = Pace()
        with pace.timed():
            await asyncio.gather(*(work(task) for task in tasks))
        pace.done = len(tasks) * commands_each
        return pace

    async def command(self, seconds: float) -> Pace:
        """Run whole commands: load, decide, encode, append."""
        return await _for_a_while(seconds, self._command, list(self._commanded))

    async def _append(self, task: TaskId) -> None:
        await self.log.append(self._next(task))

    def _next(self, task: TaskId) -> Append:
        """Return the next event of *task*, encoded and with its origin encrypted."""
        office, version = self._office, self._appended[task]
        cipher = self.log.keys.cached(office.user_id)
        context = office.context()
        at = microseconds(context.now)
        origin = seal_origin(IP, USER_AGENT, cipher, (office.user_id, at))
        metadata = Metadata(
            stream=task,
            version=version + 1,
            at=at,
            actor=context.actor,
            command="ChangeTaskStatus",
            origin=origin.commitment,
            request_id=context.request_id,
        )
        before, after = _status(version - 1), _status(version)
        event = TaskStatusChanged(from_=before, to=after)
        row = encode(event, metadata, office.org_id, origin, None)
        expects: dict[UUID, int] = {task: version, office.org_id: self._organization}
        self._appended[task] = version + 1
        return Append(rows=[row], expects=expects, keys={}, org_id=office.org_id)

    async def _command(self, task: TaskId) -> None:
        step = self._commanded[task]
        await self._office.do(ChangeTaskStatus(task_id=task, to=ROUND_TRIP[step % 4]))
        self._commanded[task] = step + 1


def _anywhere(org_id: OrgId) -> bool:
    return bool(org_id)


async def open_writers(
    store: Store, count: int, suits: Callable[[OrgId], bool] = _anywhere
) -> Writers:
    """Open a log on *store* and create a task for each of *count* writers of either kind.

    They work in an organization whose id *suits*.
    """
    office = Office(await open_log(store))
    while not suits(office.org_id):
        office = Office(office.log)
    await office.furnish()
    version = (await office.log.heads({office.org_id: office.org_id}))[office.org_id]
    tasks, busy_tasks = await office.add_tasks(count), await office.add_tasks(count)
    return Writers(office, version, tasks, busy_tasks)


def _status(step: int) -> TaskStatus:
    return ROUND_TRIP[(step - 1) % len(ROUND_TRIP)]


async def _for_a_while(
    seconds: float, one: Callable[[TaskId], Awaitable[None]], tasks: list[TaskId]
) -> Pace:
    until = time.perf_counter() + seconds

    async def work(task: TaskId) -> int:
        done = 0
        while time.perf_counter() < until:
            await one(task)
            done += 1
        return done

    pace = Pace()
    with pace.timed():
        pace.done = sum(await asyncio.gather(*(work(task) for task in tasks)))
    return pace
