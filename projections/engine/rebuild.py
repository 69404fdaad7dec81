"""Rebuilds a read model from the log next to the live one, then shows it in its place.

A request is only noted in the control record. The projector that holds the lease does the work, in
slices between its batches, and a successor continues where it stopped. It makes no difference
whether a projector is running already or only the one of the command.
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
NEVER_PROJECTED = "nothing was ever projected; start a projector first"

OnProgress = Callable[[int, int], None]
"""Told how far the rebuild is and how far the log goes, both as positions."""


def no_progress(position: int, head: int) -> None:
    """Report nothing."""


async def rebuild(
    projection: Projection[Any],
    store: ReadStore,
    projector: Projector,
    progress: OnProgress = no_progress,
) -> str:
    """Build *projection* anew, show it in place of the live one and return its collection's name.

    *projector* stands by: it works where no other does.

    :raises ProjectionFailed: an event cannot be folded; the live collection stays.
    """
    await begin_projecting(store, projector)
    name = await request(store, projection)
    return (await built(name, store, projector, progress)).name


async def begin_projecting(store: ReadStore, projector: Projector) -> None:
    """Wait until there is a control record to note a wish in."""
    while (control := await store.control()) is None or not control.serving:
        if not await projector.step():
            await asyncio.sleep(_LOOK_EVERY_S)


async def request(store: ReadStore, projection: Projection[Any], *, verify: bool = False) -> str:
    """Note that *projection* is to be built anew; return the name of the collection.

    A build of the same version that was asked for already is the one that goes on, unless it is
    for comparing: then it is begun again.

    :raises LookupError: nothing was ever projected.
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
    """Return *control* with what was asked for before, and failed or is in the way, retired."""
    for one in control.collections:
        same = one.model == wanted.model
        if same and (one.phase is Phase.FAILED or (wanted.verify and one.verify)):
            control = control.with_collection(replace(one, phase=Phase.RETIRED))
    return control


async def built(
    name: str, store: ReadStore, projector: Projector, progress: OnProgress = no_progress
) -> Collection:
    """Wait until the collection *name* is in the pass, and help with it.

    :raises ProjectionFailed: an event cannot be folded.
    :raises LookupError: somebody else asked for the same, and the build was given up.
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
        head = sum(place.position for place in control.places.values())
        if one.behind is None:
            progress(head, head)
            return one
        progress(sum(one.behind.values()), head)
        if not busy:
            await asyncio.sleep(_LOOK_EVERY_S)
