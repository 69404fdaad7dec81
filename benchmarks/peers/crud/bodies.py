"""What is sent and returned: the same members as those of our API, so that the sizes are alike."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Name = Annotated[str, Field(min_length=1, max_length=200)]


class TaskStatus(StrEnum):
    """Where a task is."""

    TODO = "TODO"
    IN_PROGRESS = "IN_PROGRESS"
    IN_REVIEW = "IN_REVIEW"
    DONE = "DONE"


MOVES = {
    TaskStatus.TODO: {TaskStatus.IN_PROGRESS},
    TaskStatus.IN_PROGRESS: {TaskStatus.TODO, TaskStatus.IN_REVIEW},
    TaskStatus.IN_REVIEW: {TaskStatus.IN_PROGRESS, TaskStatus.DONE},
    TaskStatus.DONE: {TaskStatus.TODO},
}
"""The allowed changes of a status."""


class Priority(StrEnum):
    """How urgent a task is."""

    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    URGENT = "URGENT"


class Sent(BaseModel):
    """A body that is sent: other members are refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", validate_by_name=True)


class Shown(BaseModel):
    """A body that is returned, read from a row."""

    model_config = ConfigDict(alias_generator=to_camel, from_attributes=True, validate_by_name=True)


class NewOrganization(Sent):
    """The organization of a registration."""

    name: Name
    subdomain: Name


class Registration(Sent):
    """A new user with an organization."""

    email: Name
    password: Name
    name: Name
    organization: NewOrganization


class Login(Sent):
    """An e-mail address and a password."""

    email: Name
    password: Name


class Token(Shown):
    """What a login returns."""

    access_token: str


class Profile(Shown):
    """Who is logged in."""

    id: UUID
    organization_id: UUID
    email: str
    name: str


class Plan(Sent):
    """The plan of an organization."""

    plan: Name


class NewProject(Sent):
    """A new project."""

    key: Name
    name: Name


class ProjectShown(Shown):
    """A project."""

    id: UUID
    key: str
    name: str


class NewTask(Sent):
    """A new task."""

    title: Name
    description: Annotated[str, Field(max_length=10_000)] | None = None
    priority: Priority = Priority.MEDIUM
    parent_id: UUID | None = None


class Move(Sent):
    """A change of status."""

    status: TaskStatus


class TaskShown(Shown):
    """A task."""

    id: UUID
    key: str
    project_id: UUID
    number: int
    title: str
    description: str | None
    status: TaskStatus
    priority: Priority
    parent_id: UUID | None
    assignees: list[UUID]
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    version: int


class TaskPage(Shown):
    """Some tasks, and where the next page begins."""

    items: list[TaskShown]
    next_cursor: str | None
