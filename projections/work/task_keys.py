"""By what tasks are sorted and found: each sort key is text that no other task has."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b
from itertools import product
from uuid import UUID

from domain.work.task.events import Priority
from domain.work.task.state import Task
from projections.base import exact_time, text_of

DUE_ON, DUE_AT = "D", "T"
"""How the sort key of a task begins that is due on a day, or at a time (in UTC)."""
_FACET_TEXT_MAX = 100
"""How long a value in a custom field is that stands among the facets itself, in characters."""
_DIGEST_BYTES = 20
"""Of a longer one there is a digest, of so many bytes that no two texts were ever seen to share it.
"""
BLOCKED, UNBLOCKED = "blocked:true", "blocked:false"
"""What a task has among its facets that an open task blocks, and one that none blocks."""
TRASHED = "trashed:true"
"""What a task has among its facets that was deleted by itself, and is not purged."""
LACKS = ("label", "parent", "cycle", "milestone", "due")
"""What tasks may have nothing of: one text tells it, instead of one for each that most have."""
NEVER_DUE = "9999-12-31T25"
"""Behind all days and times at which tasks are due."""
_BEHIND = chr(ord("!") + 1)
_WEIGHTS = {priority: str(weight) for weight, priority in enumerate(Priority)}


def due_key(task: Task) -> str | None:
    """Return the sort key of when *task* is due: days sort among days, times among times."""
    if task.due_at is not None:
        return f"{DUE_AT}{exact_time(task.due_at.astimezone(UTC))}!{task.key}"
    return None if task.due_date is None else f"{DUE_ON}{task.due_date}!{task.key}"


def due_order(task: Task) -> str:
    """Return the sort key by which all tasks are listed: a day comes behind its times (in UTC)."""
    if task.due_at is not None:
        return f"{exact_time(task.due_at.astimezone(UTC))}!{task.key}"
    due = NEVER_DUE if task.due_date is None else due_on_day(task.due_date)[0]
    return f"{due}!{task.key}"


def due_on_day(day: date) -> tuple[str, str]:
    """Return between which sort keys by ``due_order`` all tasks are that are due on a day."""
    return f"{day}T24", f"{day}T25"


def created_key(task: Task) -> str:
    """Return the sort key of when *task* was created; of one time, the highest number is the last.

    It is empty if none of its own events came.
    """
    if task.created_at is None:
        return ""
    return f"{exact_time(task.created_at)}!{task.number:07}!{task.project_key}"


def changed_key(task: Task, changed_at: datetime | None) -> str:
    """Return the sort key of when *task* was changed last; empty if none of its own events came."""
    return "" if changed_at is None else f"{exact_time(changed_at)}!{task.key}"


def urgency(task: Task) -> str:
    """Return the sort key of the priority; tasks with the same one are in the order of creation.

    It is empty if none of its own events came.
    """
    created = created_key(task)
    return created and f"{_WEIGHTS[task.priority]}!{created}"


def urgent(priorities: Sequence[Priority]) -> tuple[str, str] | None:
    """Return between which sort keys the tasks with *priorities* are, None if others are, too."""
    weights = sorted(int(_WEIGHTS[each]) for each in priorities)
    if not weights or weights != [*range(weights[0], weights[-1] + 1)]:
        return None
    return f"{weights[0]}!", f"{weights[-1]}{_BEHIND}"


def facet(kind: str, thing: UUID | None) -> str:
    """Return what a task has among its facets that names *thing* as a *kind*, or none of it."""
    return f"{kind}:{'none' if thing is None else text_of(thing)}"


def field_facet(key: str, text: str) -> str:
    """Return what a task has among its facets that has the value *text* in a custom field."""
    if len(text) <= _FACET_TEXT_MAX:
        return f"field:{key}:{text}"
    return f"long:{key}:{blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()}"


def mark(kind: str, value: str) -> str:
    """Return what a task has among its facets whose *kind* of value is *value*."""
    return f"{kind}:{value}"


def lacks(task: Task) -> str:
    """Return which of the kinds of ``LACKS`` *task* has nothing of, each as its first letter."""
    has = (
        bool(task.labels),
        task.parent_id is not None,
        task.cycle_id is not None,
        task.milestone_id is not None,
        task.due_date is not None or task.due_at is not None,
    )
    return "".join([kind[0] for kind, is_there in zip(LACKS, has, strict=True) if not is_there])


def lacking(kinds: Collection[str]) -> list[str]:
    """Return all that ``lacks`` returns of tasks that have nothing of any of *kinds*."""
    choices = [(kind[0],) if kind in kinds else ("", kind[0]) for kind in LACKS]
    return ["".join(letters) for letters in product(*choices)]


def facets_of(task: Task, *, blocked: bool = False) -> list[str]:
    """Return whom and what *task* names, and what it is, as filters ask for it."""
    found = [facet("assignee", each) for each in task.assignees or (None,)]
    found += [facet("label", each) for each in task.labels]
    found += [facet("watcher", each) for each in task.watchers]
    values = (one.split(":", 2) for one in task.fields)
    found += [field_facet(key, text) for key, _, text in values]
    if task.parent_id is not None:
        found.append(facet("parent", task.parent_id))
    if task.cycle_id is not None:
        found.append(facet("cycle", task.cycle_id))
    if task.milestone_id is not None:
        found.append(facet("milestone", task.milestone_id))
    found.append(mark("lacks", lacks(task)))
    found += [mark("status", task.status), mark("priority", task.priority.value)]
    if task.created_by is not None:
        found.append(facet("created_by", task.created_by))
    found.append(BLOCKED if blocked else UNBLOCKED)
    if task.deleted and not task.purged:
        found.append(TRASHED)
    return found
