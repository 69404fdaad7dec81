"""A process that does one side of a race: restore or leave, restore too much, purge or hold.

Where it waits for the other process there is nothing to await but the next turn of the loop.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from uuid import UUID

from commands.base import Command
from commands.handler import CommandHandler
from commands.identity.organization import LiftLegalHold, PlaceLegalHold, RemoveMember
from commands.work.project import RestoreProject
from commands.work.project_member import RemoveProjectMember
from commands.work.team import RemoveTeamMember
from commands.work.trash.purge import PurgeTrashed
from commands.work.trash.task import RestoreTask
from commands.work.trash.things import Thing
from domain.base import AttachmentId, TaskId, TeamId
from domain.catalog import tag_of
from domain.identity.organization.legal_hold import LegalHoldPlaced
from domain.identity.organization.state import Organization
from domain.work.project.state import Project
from domain.work.team import Team
from domain.work.trash import TrashKind
from eventstore.log import EventLog
from eventstore.open import open_store
from tests.commands.acme import OPS
from tests.domain.spec import ACME, BEN, CLEO
from tests.eventstore.processes.creating import attempt, insist
from tests.spec import opened

CLIENTS = 4
"""In each of the processes."""
TASKS = [TaskId(UUID(int=760 + n)) for n in range(20)]
"""In the trash; the last four are in the project OPS, which is there, too."""
UNSEEN = [TaskId(UUID(int=830 + n)) for n in range(20)]
"""In the trash of the private project OPS, assigned to Cleo, its member, and Ben, of its team."""
GEARS = TeamId(UUID(int=829))
FILES = [AttachmentId(UUID(int=790 + n)) for n in range(24)]
HOLDS = 24
HELD = tag_of(LegalHoldPlaced)


async def restore(handler: CommandHandler, client: int) -> None:
    """Restore every task, and the project that some of them are in; some once Cleo has left."""
    await insist(handler, RestoreProject(project_id=OPS))
    mine = TASKS[client::CLIENTS]
    for task in mine:
        if task == mine[-1]:
            while (await organization(handler)).member(CLEO) is not None:  # noqa: ASYNC110  another process
                await asyncio.sleep(0)  # until the other process removes her
        await insist(handler, RestoreTask(task_id=task))


async def restore_unseen(handler: CommandHandler, client: int) -> None:
    """Restore tasks of a private project; some once neither Ben nor Cleo sees it."""
    mine = UNSEEN[client::CLIENTS]
    for task in mine:
        if task == mine[-1]:
            while await see(handler):  # noqa: ASYNC110  another process
                await asyncio.sleep(0)  # until the other process removes both
        await insist(handler, RestoreTask(task_id=task))


async def lose_sight(handler: CommandHandler, client: int) -> None:
    """Remove Cleo from the private project, and Ben from its team."""
    if client == 0:
        await insist(handler, RemoveProjectMember(project_id=OPS, user_id=CLEO))
        await insist(handler, RemoveTeamMember(team_id=GEARS, user_id=BEN))


async def see(handler: CommandHandler) -> bool:
    """Return whether Ben or Cleo sees the private project."""
    project = await handler.states.fresh(Project, OPS, ACME)
    return CLEO in project.members or (await handler.states.fresh(Team, GEARS, ACME)).has(BEN)


async def restore_too_much(handler: CommandHandler, client: int) -> None:
    """Restore tasks for which the plan has not enough room, each client the same ones."""
    for task in (*TASKS[client:], *TASKS[:client]):
        await insist(handler, RestoreTask(task_id=task))


async def leave(handler: CommandHandler, client: int) -> None:
    """Let Cleo leave; what else follows for the tasks is a worker's, which is not here."""
    if client == 0:
        await insist(handler, RemoveMember(organization_id=ACME, user_id=CLEO))


async def purge(handler: CommandHandler, client: int) -> None:
    """Purge files, again and again while there is a hold."""
    for file in FILES[client::CLIENTS]:
        command = PurgeTrashed(thing=Thing(TrashKind.ATTACHMENT, file))
        while await attempt(handler, command) in {"conflict", "legal_hold"}:  # noqa: ASYNC110  another process
            await asyncio.sleep(0)  # until the other process lifts it in the end


async def hold(handler: CommandHandler, client: int) -> None:
    """Place and lift a hold many times."""
    if client == 0:
        for n in range(HOLDS):
            placed = PlaceLegalHold(organization_id=ACME, reason=f"Claim {n}")
            steps: tuple[Command, Command] = (placed, LiftLegalHold(organization_id=ACME))
            for each in steps:
                await insist(handler, each)


async def organization(handler: CommandHandler) -> Organization:
    """Return the organization as it is now."""
    return await handler.states.fresh(Organization, ACME, ACME)


async def was_held(log: EventLog) -> bool:
    """Return whether there has been a hold."""
    return any(one.tag == HELD for one in await log.stream(ACME, ACME))


_SIDES = (restore, restore_unseen, restore_too_much, leave, lose_sight, purge, hold)


async def main(url: str, what: str) -> None:
    """Let four clients do *what* on the log at *url*."""
    store = await asyncio.to_thread(open_store, url)
    async with opened(store) as log:
        while what == purge.__name__ and not await was_held(log):
            pass  # the other process places a hold
        handler = CommandHandler(log)
        runs: dict[str, Callable[[CommandHandler, int], Coroutine[None, None, None]]] = {
            each.__name__: each for each in _SIDES
        }
        await asyncio.gather(*(runs[what](handler, n) for n in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
