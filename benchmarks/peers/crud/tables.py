"""The tables: organizations, users, projects, tasks, and an audit log of what was done."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Identity, Index, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


def now() -> datetime:
    """Return the time of a change."""
    return datetime.now(UTC)


class Table(DeclarativeBase):
    """What all tables share: how Python's types are stored."""

    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it from the class
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        dict[str, Any]: JSONB,
        list[UUID]: ARRAY(Uuid),
    }


class Organization(Table):
    """Whom users and projects belong to."""

    __tablename__ = "organization"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    subdomain: Mapped[str] = mapped_column(unique=True)
    plan: Mapped[str] = mapped_column(default="FREE")


class User(Table):
    """A member of one organization."""

    __tablename__ = "member"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password: Mapped[bytes]
    active: Mapped[bool] = mapped_column(default=True)


class Project(Table):
    """A project of an organization."""

    __tablename__ = "project"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    key: Mapped[str]
    name: Mapped[str]
    archived: Mapped[bool] = mapped_column(default=False)


class Task(Table):
    """A task; numbers come from one sequence, so that writers do not wait for each other."""

    __tablename__ = "task"
    __table_args__ = (
        Index("task_by_number", "project_id", "number"),
        Index("task_by_status", "project_id", "status", "number"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    number: Mapped[int] = mapped_column(BigInteger, Identity())
    project_key: Mapped[str]
    title: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="TODO")
    priority: Mapped[str]
    parent_id: Mapped[UUID | None]
    assignees: Mapped[list[UUID]] = mapped_column(default=list)
    created_by: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    version: Mapped[int] = mapped_column(default=1)
    deleted: Mapped[bool] = mapped_column(default=False)

    @property
    def key(self) -> str:
        """The task as people name it, such as ENG-12."""
        return f"{self.project_key}-{self.number}"


class Audit(Table):
    """Who did what, written in the transaction that did it."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_of_organization", "organization_id", "id"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    organization_id: Mapped[UUID]
    actor_id: Mapped[UUID]
    thing_id: Mapped[UUID]
    action: Mapped[str]
    data: Mapped[dict[str, Any]]
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(default=now)
