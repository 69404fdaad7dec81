"""A process that purges files and removes what they held, or one that holds, restores and reads."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from uuid import UUID

from commands.identity.organization import LiftLegalHold, PlaceLegalHold
from commands.work.attachment import RestoreAttachment
from commands.work.trash.purge import PurgeTrashed
from commands.work.trash.things import Thing
from domain.base import AttachmentId
from domain.work.attachment import Attachment
from domain.work.trash import TrashKind
from files.open import open_files
from files.store import FileKey, FileMissing, FileStore
from runtime.system import System, open_system
from tests.domain.spec import ACME, TASK
from tests.eventstore.processes.creating import acknowledge, attempt, insist
from tests.eventstore.processes.racing import was_held
from tests.workers.stage import settings_in
from workers.consequences.purging import Purging

FILES = [AttachmentId(UUID(int=900 + n)) for n in range(24)]
SIZE = 500_000


def contents(file: AttachmentId) -> bytes:
    """Return what a file holds."""
    return file.bytes * (SIZE // 16)


async def whole(files: FileStore, file: AttachmentId) -> bytes:
    """Return what the store has of a file.

    :raises FileMissing: it has nothing.
    """
    return b"".join([piece async for piece in files.read(FileKey(ACME, file), 0, SIZE)])


async def remove(system: System, files: FileStore) -> None:
    """Purge every file that nobody has restored, and act on that as a worker does."""
    worker = Purging(system, files)
    while not await was_held(system.log):
        pass  # the other process places a hold
    for file in FILES:
        command = PurgeTrashed(thing=Thing(TrashKind.ATTACHMENT, file))
        while await attempt(system.commands, command) in {"conflict", "legal_hold"}:
            await worker.act()
        await worker.act()


async def use(system: System, files: FileStore) -> None:
    """Hold, restore and read every file, the last one first; what is there is always whole."""
    for file in reversed(FILES):
        placed = PlaceLegalHold(organization_id=ACME, reason=f"Claim {file}")
        await insist(system.commands, placed)
        await insist(system.commands, RestoreAttachment(attachment_id=file, task_id=TASK))
        await insist(system.commands, LiftLegalHold(organization_id=ACME))
        for each in FILES:
            try:
                found = await whole(files, each)
            except FileMissing:
                found = None
            if found is None:
                state = await system.commands.states.fresh(Attachment, each, ACME)
                assert state.purged, each
                acknowledge("gone")
            else:
                assert found == contents(each)
                acknowledge("whole")


SIDES: dict[str, Callable[[System, FileStore], Coroutine[None, None, None]]] = {
    each.__name__: each for each in (remove, use)
}


async def main(directory: str, what: str) -> None:
    """Do one side in the directory of a stage."""
    async with open_system(settings_in(Path(directory))) as system:
        files = open_files(system.settings)
        await SIDES[what](system, files)
        await files.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
