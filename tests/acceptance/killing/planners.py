"""Customers that use what records many events at once, or lets a worker record more."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from tests.acceptance.customers import Customer, check_keys

SUBTASKS = ("Say what it is about", "Do it", "Let somebody look at it")
MINUTES = 15
FOLLOW_S = 120.0
"""How long the next tasks of series may take to be there once nothing is killed any more."""
CHANGED = {"status": "IN_PROGRESS", "priority": "HIGH"}


class Planner(Customer):
    """Creates tasks from a template, logs time, changes subtasks at once, undoes, and repeats."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._template = ""
        self._minutes = Counter[str]()
        self._undone: set[str] = set()

    async def arrive(self) -> None:
        await super().arrive()
        form = {"name": "Round", "subtasks": [{"title": each} for each in SUBTASKS]}
        self._template = (await self._insist("/template", form))["id"]

    async def work(self, until: Callable[[], bool]) -> None:
        """Begin a round of work, go through it and finish it, until the test has seen enough."""
        while not until():
            form = {"title": f"Round {uuid4()}", "templateId": self._template}
            task = await self._insist(self.tasks_path, form)
            self.acknowledged[task["id"]] = task
            undoes = len(self.acknowledged) % 2 == 1
            for _ in range(2):
                await self._insist(f"/task/{task['id']}/worklogs", {"minutes": MINUTES})
                self._minutes[task["id"]] += MINUTES
            await self._change_subtasks(task["id"], undoes=undoes)
            repeats = {"rrule": "FREQ=DAILY", "after": "completion"}
            path = f"/task/{task['id']}/recurrence"
            await self._until(partial(self.http.put, path, json=repeats))
            await self._insist(f"/task/{task['id']}/status", {"status": "CANCELLED"})

    async def _change_subtasks(self, task_id: str, *, undoes: bool) -> None:
        listed = await self.get(self.tasks_path, {"parent": task_id})
        ids = [each["id"] for each in listed["items"]]
        assert len(ids) == len(SUBTASKS)
        changed = await self._insist("/task/bulk", {"ids": ids, "set": CHANGED})
        assert changed["changed"] == len(ids)
        if undoes:
            undone = await self._insist(f"/undo/{changed['correlationId']}", {})
            assert (undone["undone"], undone["conflicts"]) == (len(CHANGED) * len(ids), [])
            self._undone.add(task_id)

    async def settled(self) -> None:
        """Wait until a worker has made the next task of each that repeats."""
        deadline = time.monotonic() + FOLLOW_S
        expected = len(self.acknowledged) * (2 + len(SUBTASKS))
        while len(shown := await self.tasks()) < expected:
            assert time.monotonic() < deadline, f"{len(shown)} of {expected} tasks are there"
            await asyncio.sleep(0.5)

    async def check_shown(self) -> None:
        shown = await self.tasks()
        check_keys(shown)
        assert self._undone, "not even one round of work went through"
        assert len(shown) == len(self.acknowledged) * (2 + len(SUBTASKS))
        titles = Counter(task["title"] for task in shown.values())
        for task_id, made in self.acknowledged.items():
            task = shown[task_id]
            assert task["status"] == "CANCELLED"
            assert task["timeSpentMinutes"] == self._minutes[task_id]
            assert titles[made["title"]] == 1 + 1  # the next of its series has the same
            subtasks = [each for each in shown.values() if each["parentId"] == task_id]
            assert sorted(each["title"] for each in subtasks) == sorted(SUBTASKS)
            was = {"status": "TODO", "priority": "MEDIUM"} if task_id in self._undone else CHANGED
            assert all(each | was == each for each in subtasks)

    def events_in(self, log: list[dict[str, Any]]) -> set[str]:
        own = [each for each in log if each["organizationId"] == self.organization]
        return {each["id"] for each in own if each["type"].startswith("task.")}
