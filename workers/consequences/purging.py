"""Purging: whatever was in a task or a project that is purged goes as well, and so do its files.

Each thing that goes records an event of its own, on which this acts again: a project takes its
tasks along, each of them its comments, and an attachment its file. A legal hold stops that wherever
it is; once it is lifted, all that follows from earlier purges is done again, which leaves no trace
of what was done already.
"""

from uuid import UUID

from commands.work.trash.purge import PurgeContents
from commands.work.trash.things import PURGED, Thing
from domain.base import Event, OrgId
from domain.catalog import tag_of
from domain.identity.organization.events import OrganizationPurged
from domain.identity.organization.legal_hold import LegalHoldLifted
from domain.identity.organization.state import Organization
from domain.work.attachment import AttachmentPurged
from domain.work.project.events import ProjectPurged
from domain.work.task.trash_events import TaskPurged
from domain.work.trash import TrashKind
from eventstore.append import Secret
from eventstore.operations.crew import Owns, everything
from eventstore.recorded import Recorded, Row
from files.store import FileKey, FileStore
from projections.engine.progress import Progress
from projections.work.contents import (
    MODELS_OF_PROJECT,
    MODELS_OF_TASK,
    contents_of_project,
    contents_of_task,
)
from runtime.system import System
from workers.consequences.base import READ_AT_ONCE, Consequences
from workers.consequences.ending import purge_all_of

_CAUSES: tuple[type[Event], ...] = (*PURGED, OrganizationPurged, LegalHoldLifted)
_PURGES = tuple(tag_of(event) for event in PURGED)


class Purging(Consequences):
    """Acts on every event by which something in the trash ended.

    A crash in between repeats it: what is purged already records nothing again.
    """

    def __init__(
        self,
        system: System,
        files: FileStore,
        progress: Progress | None = None,
        *,
        owns: Owns = everything,
    ) -> None:
        super().__init__(system, "purging", _CAUSES, progress, owns)
        self._files = files

    async def follow(self, cause: Recorded, row: Row, part: int) -> None:
        """Purge what is in the thing, and remove what is kept for it beside the log."""
        org_id, thing = row.org_id, row.stream_id
        if await self._is_held(org_id):
            return  # lifting the hold comes back to it
        if isinstance(cause.event, LegalHoldLifted):
            await self._go_on(row, part)
            return
        for name in await self.system.log.secrets(thing, org_id):
            await self.system.log.put_secret(Secret(thing, name, None), org_id)
        match cause.event:
            case AttachmentPurged():
                await self._files.remove(FileKey(org_id, thing))
            case TaskPurged():
                await self._until_all_projected(MODELS_OF_TASK, row, part)
                async for found in contents_of_task(self.models, org_id, thing):
                    await self._purge(Thing(TrashKind.TASK, thing), found, cause)
            case ProjectPurged():
                await self._until_all_projected(MODELS_OF_PROJECT, row, part)
                async for found in contents_of_project(self.models, org_id, thing):
                    await self._purge(Thing(TrashKind.PROJECT, thing), found, cause)
            case OrganizationPurged():
                await purge_all_of(self.system, self.follow_up, cause, part)
            case _:
                pass

    async def _is_held(self, org_id: OrgId) -> bool:
        organization = await self.system.commands.states.fresh(Organization, org_id, org_id)
        return organization.legal_hold is not None

    async def _go_on(self, lifted: Row, part: int) -> None:
        """Do what follows from every purge of an organization until its hold was *lifted*."""
        log, after = self.system.log, 0
        while True:
            rows = await log.tail_rows(after, READ_AT_ONCE, _PURGES, part)
            for row in rows:
                if row.position >= lifted.position:
                    return
                if row.org_id == lifted.org_id:
                    [cause] = await log.decoded([row])
                    await self.follow(cause, row, part)
            if not rows:
                return
            after = rows[-1].position

    async def _until_all_projected(self, models: tuple[str, ...], row: Row, part: int) -> None:
        for model in models:
            await self.until_projected(model, row, part)

    async def _purge(
        self, within: Thing, found: list[tuple[TrashKind, UUID]], cause: Recorded
    ) -> None:
        things = tuple(Thing(*each) for each in found)
        await self.follow_up(PurgeContents(within=within, things=things), cause)
