"""``rebuild``: build read models again from the log, next to the live ones."""

import asyncio
import sys
from collections.abc import Container
from typing import Annotated, Any

from cyclopts import Parameter

from cli.bars import progress_bar
from cli.failure import CommandFailed
from cli.outages import outages_as_failures
from cli.running import settings_of_log
from projections.catalog import PROJECTIONS
from projections.engine.digest import compare
from projections.engine.folding import ProjectionFailed
from projections.engine.projector import Projector
from projections.engine.rebuild import rebuild
from runtime.system import System, open_system


def run(
    name: str | None = None,
    /,
    *,
    every: Annotated[bool, Parameter(name="--all")] = False,
    verify: bool = False,
) -> int:
    """Rebuild or verify; return 1 if a live read model differs from its rebuild.

    Parameters
    ----------
    name
        Read model to rebuild.
    every
        Rebuild every read model.
    verify
        Compare with the live read model instead of replacing it.
    """
    names = [projection.name for projection in PROJECTIONS]
    if (name is None) != every:
        raise CommandFailed("name one read model, or use --all", 2)
    if name is not None and name not in names:
        raise CommandFailed(f"there is no read model {name!r}, only {', '.join(names)}", 2)
    with outages_as_failures():
        return asyncio.run(_rebuild(names if name is None else [name], verify=verify))


async def _rebuild(wanted: Container[str], *, verify: bool) -> int:
    bad = 0
    async with open_system(settings_of_log()) as system:
        # It does the work only if no other projector holds the lease.
        projector = Projector(PROJECTIONS, system.log, system.read_store, system.wakeups.listener())
        try:
            for projection in PROJECTIONS:
                if projection.name in wanted:
                    bad += await _rebuild_one(system, projector, projection, verify_only=verify)
        finally:
            await projector.release()
    return 1 if bad else 0


async def _rebuild_one(
    system: System, projector: Projector, projection: Any, *, verify_only: bool
) -> int:
    try:
        return await _rebuilt(system, projector, projection, verify_only=verify_only)
    except (ProjectionFailed, LookupError) as failure:
        print(f"{projection.name}: {failure}", file=sys.stderr)
        return 1


async def _rebuilt(
    system: System, projector: Projector, projection: Any, *, verify_only: bool
) -> int:
    store = system.read_store
    with progress_bar() as progress:
        bar = progress.add_task(projection.name)

        def advance(position: int, head: int) -> None:
            progress.update(bar, completed=position, total=head)

        if not verify_only:
            collection = await rebuild(projection, store, projector, advance)
            print(f"{projection.name}: {collection} is live")
            return 0
        found = await compare(projection, store, projector, advance)
    print(f"{projection.name}: {found}")
    return 0 if found.equal else 1
