"""Every set of values that the API shows, in one place."""

from enum import StrEnum

from domain.membership import LeaveCause, Role
from domain.permission import Permission
from domain.plan import Plan
from domain.project import ProjectStatus
from domain.session import RevocationCause
from domain.task import Priority, TaskStatus
from domain.webhook import DeliveryMode, PauseCause

ENUMS: dict[str, type[StrEnum]] = {
    enum.__name__: enum
    for enum in (
        DeliveryMode,
        LeaveCause,
        PauseCause,
        Permission,
        Plan,
        Priority,
        ProjectStatus,
        RevocationCause,
        Role,
        TaskStatus,
    )
}
"""By class name, sorted."""
