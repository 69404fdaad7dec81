"""Plans what a projector does with the collections: pure functions of the control record."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from eventstore.identifiers import new_id
from eventstore.store import LogIdentity
from projections.base import Projection
from projections.engine.control import Collection, Control, Phase

Projections = Sequence[Projection[Any]]


class Outdated(Exception):
    """The read models have a newer version than this process, which must not change them."""


def begun(
    control: Control | None, projections: Projections, log: LogIdentity, heads: Mapping[int, int]
) -> Control:
    """Return a control record that starts at the first event of *log*, keeping old collections.

    Nothing is shown until the events up to *heads*, the present end of each partition, are
    projected.
    """
    control = control or Control()
    retired = tuple(replace(one, phase=Phase.RETIRED) for one in control.collections)
    control = replace(
        control,
        life=new_id().hex,
        log=log,
        partitions=len(heads),
        target=dict(heads),
        serving=not any(heads.values()),
        collections=retired,
    )
    for projection in projections:
        control = control.with_collection(collection_of(control, projection, Phase.LIVE))
    return control


def planned(
    control: Control, projections: Projections, *, again: bool = False, first: bool = False
) -> Control:
    """Return *control* with a collection for every read model, building those that are missing.

    With *again*, failed builds are tried once more; with *first*, when a projector starts,
    collections left over from comparing are retired.

    :raises Outdated: a newer version is live.
    """
    wanted = {projection.name: projection for projection in projections}
    for one in control.collections:
        projection = wanted.get(one.model)
        left_over = first and one.phase is Phase.COMPARING
        if left_over or _is_over(one, projection, again=again):
            control = control.with_collection(replace(one, phase=Phase.RETIRED))
    for projection in projections:
        control = _planned_one(control, projection)
    return control


def _is_over(one: Collection, projection: Projection[Any] | None, *, again: bool) -> bool:
    if projection is None:
        return one.phase is not Phase.RETIRED
    if one.phase is Phase.FAILED:
        return again
    unfinished = one.phase in (Phase.BUILDING, Phase.COMPARING)
    return unfinished and not is_of(one, projection)


def _planned_one(control: Control, projection: Projection[Any]) -> Control:
    live = control.live(projection.name)
    if live is not None and live.version > projection.version:
        raise Outdated(f"{live.name} is of a newer version than {projection.version}")
    if live is not None and is_of(live, projection):
        return control
    # Only the code that made a live one can fold into it: it stays unchanged until it is replaced.
    failed = any(
        (one.model, one.phase) == (projection.name, Phase.FAILED) for one in control.collections
    )
    if control.building(projection.name) is None and not failed:
        control = control.with_collection(collection_of(control, projection, Phase.BUILDING))
    return control


def is_of(one: Collection, projection: Projection[Any]) -> bool:
    """Return whether *one* is a collection of this version of *projection*."""
    return (one.version, one.layout) == (projection.version, projection.shape.layout)


def collection_of(
    control: Control, projection: Projection[Any], phase: Phase, *, verify: bool = False
) -> Collection:
    """Return a new, empty collection of *projection* with an unused name."""
    build = control.next_build(projection.name)
    return Collection(
        name=f"{projection.name}_v{projection.version}_b{build}",
        model=projection.name,
        version=projection.version,
        layout=projection.shape.layout,
        phase=phase,
        build=build,
        since=control.revision + 1,
        verify=verify,
    )


def leaving(control: Control, projections: Projections) -> set[str]:
    """Return the live collections of patient *projections*, which others need not wait for.

    One that is being compared with another stays in the pass.
    """
    compared = {one.model for one in control.collections if one.phase is Phase.COMPARING}
    patient = {one.name for one in projections if one.patient} - compared
    return {name for model, name in control.live_names.items() if model in patient}


def settled(control: Control) -> Control:
    """Return *control* after what the partitions have reached: shown, and with what was built."""
    reached = all(control.position(part) >= head for part, head in control.target.items())
    control = replace(control, serving=control.serving or reached)
    for one in control.collections if control.serving else ():
        if one.phase is Phase.BUILDING and not control.behind(one):
            control = _switched(control, one)
    return control


def _switched(control: Control, built: Collection) -> Control:
    """Return *control* with *built*, which has caught up, in the place of the live collection.

    Or it is compared with that one.
    """
    if built.verify:
        return control.with_collection(replace(built, phase=Phase.COMPARING))
    live = control.live(built.model)
    if live is not None:
        control = control.with_collection(replace(live, phase=Phase.RETIRED))
    return control.with_collection(replace(built, phase=Phase.LIVE))
