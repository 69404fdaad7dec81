"""What can be in the trash."""

from enum import StrEnum


class TrashKind(StrEnum):
    """What can be in the trash. The values are part of addresses."""

    PROJECT = "project"
    TASK = "task"
    COMMENT = "comment"
    ATTACHMENT = "attachment"
    LABEL = "label"
    TEAM = "team"
    WEBHOOK = "webhook"
    CYCLE = "cycle"
    MILESTONE = "milestone"
    FIELD = "field"
    VIEW = "view"
    WORKLOG = "worklog"
    TEMPLATE = "template"
