"""The next free task number of each project, as a hint.

A lost hint costs a look at the claims, a wrong one costs a retry. Never more, because the claim's
stream decides who has a number.
"""

from typing import NamedTuple
from uuid import UUID

from domain.base import ProjectId
from domain.claim import task_number_claim
from eventstore.log import EventLog

PATIENCE = 4
"""Attempts of a command after which the hint is looked up anew."""

PROBES = 32
"""Claims looked at together while the first free number is searched for."""


class Taken(NamedTuple):
    """A number that one attempt of a command uses."""

    project_id: ProjectId
    number: int


class Numbers:
    """Hands out task numbers to the commands of one process."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._next: dict[ProjectId, int] = {}

    async def take(self, project_id: ProjectId) -> int:
        """Return a number for a new task of the project."""
        if project_id not in self._next:
            free = await self._first_free(project_id)
            self._next.setdefault(project_id, free)
        number = self._next[project_id]
        self._next[project_id] = number + 1
        return number

    def give_back(self, taken: Taken | None) -> None:
        """Let a number be taken again: the command that took it wrote nothing."""
        if taken is not None and taken.project_id in self._next:
            known = self._next[taken.project_id]
            self._next[taken.project_id] = min(known, taken.number)

    async def lose(self, taken: Taken | None, conflict: UUID, attempt: int) -> None:
        """Let go of a number after a lost race, so that nobody needs long for the next.

        A number that somebody holds is never tried again, and others may be far ahead. One
        whose predecessor is missing goes back; whoever had that one gives it back too.
        """
        if taken is None:
            return
        project_id, number = taken
        if conflict == task_number_claim(project_id, number):
            free = max(await self._first_free(project_id), number + 1)
            self._next[project_id] = max(self._next.get(project_id, free), free)
            return
        if attempt > PATIENCE:
            self._next.pop(project_id, None)
        self.give_back(taken)

    async def _first_free(self, project_id: ProjectId) -> int:
        """Return the first number that no claim holds; numbers are taken without gaps."""
        step, taken = 1, 0
        while step:
            probes = [taken + step * n for n in range(1, PROBES + 1)]
            claims = {task_number_claim(project_id, n): n for n in probes}
            heads = await self._log.heads(list(claims))
            held = max((claims[claim] for claim in heads), default=None)
            if held is not None:
                taken = held
            if held == probes[-1]:
                step *= PROBES
            else:
                step = 0 if step == 1 else max(step // PROBES, 1)
        return taken + 1
