"""What the events of the trash say of the tasks that they hide, and the event that ends it."""

from typing import Any
from uuid import UUID

from msgspec import Struct

from domain.base import ERASED, Event


class TaskPurged(Event, frozen=True, kw_only=True, tag="task.purged"):
    """What a task said is gone for good, with the key that sealed it; its history stays."""

    sets = ("title", "description", "purged")


PURGED_TASK: dict[str, Any] = {
    "title": ERASED,
    "description": None,
    "fields": (),
    "external_id": None,
    "author": None,
    "purged": True,
}
"""What a purge leaves of the state of a task. What hid it goes on hiding it."""


class TasksInStatus(Struct, frozen=True):
    """How many tasks are in one status."""

    status: str
    tasks: int


class TasksInPlan(Struct, frozen=True, omit_defaults=True):
    """How many tasks are in one cycle or towards one milestone, and how many of them are open."""

    part: UUID
    tasks: int
    open: int = 0
