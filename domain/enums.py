"""Every enumeration that the API exposes."""

from enum import StrEnum

from domain.hooks.webhook.events import DeliveryMode, PauseCause
from domain.identity.organization.membership import LeaveCause, Role
from domain.identity.organization.settings import LoginWay
from domain.identity.plan import Plan
from domain.identity.session.events import Factor, RevocationCause
from domain.permission import Permission
from domain.work.attachment import ScanState
from domain.work.project.events import ProjectStatus, Visibility
from domain.work.relation import RelationKind
from domain.work.task.custom_field import FieldType
from domain.work.task.events import Priority, TaskStatus
from domain.work.task.recurrence_events import RepeatAfter
from domain.work.team import TeamLeaveCause, TeamRole
from domain.work.trash import TrashKind
from domain.work.workflow.events import Guard, Preset, StatusGroup

ENUMS: dict[str, type[StrEnum]] = {
    enum.__name__: enum
    for enum in (
        DeliveryMode,
        Factor,
        FieldType,
        Guard,
        LeaveCause,
        LoginWay,
        PauseCause,
        Permission,
        Plan,
        Preset,
        Priority,
        ProjectStatus,
        RelationKind,
        RepeatAfter,
        RevocationCause,
        Role,
        ScanState,
        StatusGroup,
        TaskStatus,
        TeamLeaveCause,
        TeamRole,
        TrashKind,
        Visibility,
    )
}
"""By class name, sorted."""
