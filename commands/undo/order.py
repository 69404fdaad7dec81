"""The order in which events are taken back: the last command first, and what it did backwards."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from uuid import UUID

from msgspec.structs import replace

from commands.undo.changed import RecalledEvent
from domain.work.task.custom_field import TaskFieldSet
from domain.work.task.events import TaskMoved, TaskUnassigned, TaskUnlabelled, TaskUnwatched
from domain.work.task.plan_events import TaskCycleChanged, TaskMilestoneChanged

_LOST = (
    TaskUnlabelled,
    TaskFieldSet,
    TaskCycleChanged,
    TaskMilestoneChanged,
    TaskUnassigned,
    TaskUnwatched,
)
"""What a task that is moved to another project loses; it can have it back only where it was."""


def in_order(recalled: Sequence[RecalledEvent]) -> Iterator[RecalledEvent]:
    """Yield events in the order in which they are taken back.

    What happened to something that was created goes with it. A task that was moved on and on goes
    back at once, and so does one that was moved together with the task above it.
    """
    created = {each.stream for each in recalled if each.creation}
    left = [each for each in recalled if each.creation or each.stream not in created]
    commands = groupby(_moved_at_once(left), lambda each: (each.request_id, each.at))
    for of_one in reversed([[*of] for _, of in commands]):
        yield from _backwards(of_one)


def _backwards(of_one: Sequence[RecalledEvent]) -> Sequence[RecalledEvent]:
    """Return the events of one command backwards, but what a move took away behind the move."""
    backwards = of_one[::-1]
    gone = {*_gone_with_moves(of_one)}
    moves = [n for n, each in enumerate(backwards) if isinstance(each.event, TaskMoved)]
    moves = [n for n in moves if backwards[n].seq not in gone]
    if not moves:
        return backwards
    behind = [each for each in backwards if each.seq in gone]
    before, after = backwards[: moves[-1] + 1], backwards[moves[-1] + 1 :]
    return [
        *(each for each in before if each.seq not in gone),
        *behind,
        *(each for each in after if each.seq not in gone),
    ]


def _gone_with_moves(of_one: Iterable[RecalledEvent]) -> Iterator[int]:
    """Yield which events of one command are of tasks below one that was moved, or what it lost."""
    touched = dict[UUID, set[str]]()
    for each in of_one:
        if isinstance(each.event, TaskMoved):
            touched[each.stream] = set()
            if each.event.parent_id is not None:
                yield each.seq
        elif each.stream in touched:
            keys = {*each.event.field_keys()}
            if isinstance(each.event, _LOST) and keys.isdisjoint(touched[each.stream]):
                yield each.seq
            touched[each.stream] |= keys


def _moved_at_once(recalled: Iterable[RecalledEvent]) -> Iterator[RecalledEvent]:
    """Yield events with one move of each task instead of several, each from where one led to."""
    moves = dict[UUID, list[RecalledEvent]]()
    for each in recalled:
        if isinstance(each.event, TaskMoved):
            moves.setdefault(each.stream, []).append(each)
    passed, led = set[int](), dict[int, RecalledEvent]()
    for of_one in moves.values():
        for first, then in pairwise(of_one):
            if _project(first.after) == _project(then.before):
                passed.add(first.seq)
                led[then.seq] = replace(then, before=led.get(first.seq, first).before)
    for each in recalled:
        if each.seq not in passed:
            yield led.get(each.seq, each)


def _project(state: object) -> object:
    return getattr(state, "project_id", None)
