"""The sweep of the file store: what was stored and never recorded is removed after a grace.

The store, or its prefix of a bucket, must therefore belong to one log alone.
"""

import logging
from datetime import timedelta

from files.open import open_files
from files.store import FileStore, StoredFile
from runtime.system import System

ORPHAN_GRACE = timedelta(hours=24)
"""How old a file without an event has to be: far longer than any upload takes."""
_BATCH = 500
_logger = logging.getLogger(__name__)


async def sweep_files(system: System) -> int:
    """Remove files that no attachment has, and parts of files; return how many."""
    files = open_files(system.settings)
    try:
        return await sweep(system, files)
    finally:
        await files.close()


async def sweep(system: System, files: FileStore) -> int:
    """Remove from *files* what is older than ``ORPHAN_GRACE`` and in no event."""
    before = system.clock() - ORPHAN_GRACE
    swept = await files.sweep_parts(before)
    batch: list[StoredFile] = []
    async for each in files.files():
        if each.written_at < before:
            batch.append(each)
        if len(batch) == _BATCH:
            swept += await _sweep(system, files, batch)
            batch = []
    return swept + await _sweep(system, files, batch)


async def _sweep(system: System, files: FileStore, batch: list[StoredFile]) -> int:
    keys = [each.key for each in batch]
    known = await system.log.heads({key.file_id: key.org_id for key in keys}) if keys else {}
    orphans = [key for key in keys if key.file_id not in known]
    for key in orphans:
        _logger.info("removing the file %s, which no attachment has", key.path)
        await files.remove(key)
    return len(orphans)
