"""Rebuilds a read model from the log next to the live one, which it then replaces.

A request is only noted in the control record. The projector that holds the lease does the work, in
slices between its batches, and a successor continues where it stopped. If no projector is running,
the one of the command does the work.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from projections.base import Projection
from projections.engine.control import Collection, Control, Phase
from projections.engine.folding import ProjectionFailed
from projections.engine.planning import collection_of
from projections.engine.projector import Projector
from projections.engine.store import Batch, OutOfTurn, ReadStore

_LOOK_EVERY_S = 0.02
NEVER_PROJECTED = "nothing has been projected yet; start a projector first"

OnProgress = Callable[[int, int], None]
"""Called with the position of the rebuild and the head of the log."""


def no_progress(position: int, head: int) -> None:
    """Report nothing."""


async def rebuild(
    projection: Projection[Any],
    store: ReadStore,
    projector: Projector,
    progress: OnProgress = no_progress,
) -> str:
    """Rebuild *projection*, replace the live collection and return the name of the new one.

    *projector* does the work if no other projector is running.

    :raises ProjectionFailed: an event cannot be folded; the live collection stays.
    """
    await begin_projecting(store, projector)
    name = await request(store, projection)
    return (await built(name, store, projector, progress)).name


async def begin_projecting(store: ReadStore, projector: Projector) -> None:
    """Wait until there is a control record to note a request in."""
    while (control := await store.control()) is None or not control.serving:
        busy = False
        with contextlib.suppress(OutOfTurn):  # another projector begins at this moment
            busy = await projector.step()
        if not busy:
            await asyncio.sleep(_LOOK_EVERY_S)


async def request(store: ReadStore, projection: Projection[Any], *, verify: bool = False) -> str:
    """Request a rebuild of *projection*; return the name of its collection.

    If the same version is already being built, that build continues, unless it is for comparing:
    then it is started again.

    :raises LookupError: nothing has been projected yet.
    """
    while True:
        control = await store.control()
        if control is None:
            raise LookupError(NEVER_PROJECTED)
        under_way = control.building(projection.name)
        if under_way is not None and not verify:
            return under_way.name
        wanted = collection_of(control, projection, Phase.BUILDING, verify=verify)
        with contextlib.suppress(OutOfTurn):
            await store.write(Batch(control=_without_old(control, wanted).with_collection(wanted)))
            return wanted.name


def _without_old(control: Control, wanted: Collection) -> Control:
    """Return *control* without earlier builds of the same read model that failed or conflict."""
    for one in control.collections:
        same = one.model == wanted.model
        if same and (one.phase is Phase.FAILED or (wanted.verify and one.verify)):
            control = control.with_collection(replace(one, phase=Phase.RETIRED))
    return control


async def built(
    name: str, store: ReadStore, projector: Projector, progress: OnProgress = no_progress
) -> Collection:
    """Wait until the collection *name* is part of the pass, and help build it.

    :raises ProjectionFailed: an event cannot be folded.
    :raises LookupError: the build was given up because somebody else requested another one.
    """
    while True:
        busy = False
        with contextlib.suppress(OutOfTurn, ProjectionFailed):
            busy = await projector.step()
        control = await store.control()
        one = control.named(name) if control is not None else None
        if control is None or one is None or one.phase is Phase.RETIRED:
            raise LookupError(f"the build of {name} was given up for another one")
        if one.phase is Phase.FAILED:
            raise ProjectionFailed(one.failure)
        behind, head = control.behind(one), control.head
        if _is_complete(control, one):
            progress(head, head)
            return one
        progress(head - sum(control.position(p) - at for p, at in behind.items()), head)
        if not busy:
            await asyncio.sleep(_LOOK_EVERY_S)


def _is_complete(control: Control, one: Collection) -> bool:
    """Return whether *one* is live, or can be compared with the live one."""
    live = control.live(one.model)
    if one.phase is not Phase.COMPARING or live is None:
        return one.phase is Phase.LIVE
    # Who knows the plan leaves neither behind from now on.
    return control.is_followed and not control.behind(one) and not control.behind(live)
