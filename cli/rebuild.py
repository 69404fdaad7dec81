"""``rebuild``: build read models again from the log, next to the live ones."""

import asyncio
from collections.abc import Container
from typing import Annotated, Any

from cyclopts import Parameter

from cli.bars import progress_bar
from cli.failure import CommandFailed
from cli.outages import outages_as_failures
from cli.running import settings_of_running
from projections.catalog import PROJECTIONS
from projections.engine.digest import compare
from projections.engine.rebuild import rebuild
from runtime.settings import load_settings
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
    different = 0
    async with open_system(load_settings(settings_of_running())) as system:
        for projection in PROJECTIONS:
            if projection.name in wanted:
                different += await _rebuild_one(system, projection, verify_only=verify)
    return 1 if different else 0


async def _rebuild_one(system: System, projection: Any, *, verify_only: bool) -> int:
    with progress_bar() as progress:
        bar = progress.add_task(projection.name)

        def advance(position: int, head: int) -> None:
            progress.update(bar, completed=position, total=head)

        if not verify_only:
            collection = await rebuild(projection, system.log, system.database, advance)
            print(f"{projection.name}: {collection} is live")
            return 0
        found = await compare(projection, system.log, system.database, advance)
    print(f"{projection.name}: {found}")
    return 0 if found.equal else 1
