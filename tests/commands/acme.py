"""One organization for the stories: Ana is ADMIN, Ben MANAGER, Cleo MEMBER, Dan a stranger."""

from typing import Any
from uuid import UUID

from msgspec.structs import replace

from domain.base import AttachmentId, CommentId, OrgId, ProjectId, SessionId, TaskId, UserId
from domain.identity.organization.events import OrganizationCreated
from domain.identity.organization.membership import MemberJoined, Role
from domain.identity.plan import Plan
from domain.identity.session.events import SessionStarted
from domain.identity.session.state import ABSOLUTE_LIFETIME, IDLE_LIFETIME
from domain.identity.user.events import UserRegistered
from domain.work.attachment import AttachmentUploaded, ScanState
from domain.work.comment import CommentPosted
from domain.work.project.events import ProjectCreated
from domain.work.task.events import Priority, TaskCreated, TaskStatus, TaskStatusChanged
from domain.work.workflow.events import STARTED, StatusGroup
from eventstore.log import EventLog
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, ENG, NOW, OTHER, TASK, stepped
from tests.spec import Past, on

OPS = ProjectId(UUID(int=22))
CHILD = TaskId(UUID(int=32))
LAPTOP, PHONE = SessionId(UUID(int=61)), SessionId(UUID(int=62))
FILE = AttachmentId(UUID(int=45))
COMMENT, ANSWER = CommentId(UUID(int=41)), CommentId(UUID(int=42))
FOREIGN_PROJECT, FOREIGN_TASK = ProjectId(UUID(int=23)), TaskId(UUID(int=33))


def account(user: UserId, name: str) -> Past:
    """Return the account of one person, whose address is claimed with it."""
    return on(user, UserRegistered(email=f"{name.lower()}@example.com", name=name))


def started(user: UserId, **about: Any) -> SessionStarted:
    """Return the start of a session at NOW."""
    times = {
        "started_at": NOW,
        "expires_at": NOW + ABSOLUTE_LIFETIME,
        "idle_expires_at": NOW + IDLE_LIFETIME,
    }
    return SessionStarted(user_id=user, nonce="n", **(times | about))


def founded(org_id: OrgId, subdomain: str, **roles: tuple[UserId, Role]) -> Past:
    """Return an organization with its members; its subdomain is claimed with it."""
    created = OrganizationCreated(name=subdomain.title(), subdomain=subdomain, plan=Plan.FREE)
    joined = (MemberJoined(user_id=user, role=role) for user, role in roles.values())
    return on(org_id, created, *joined, org_id=org_id)


def task(
    number: int = 1,
    by: UserId = ANA,
    project: ProjectId = ENG,
    key: str = "ENG",
    parent: TaskId | None = None,
) -> TaskCreated:
    """Return the creation of a task at NOW."""
    return TaskCreated(
        project_id=project,
        project_key=key,
        number=number,
        title="Oil it",
        status=TaskStatus.TODO,
        group=StatusGroup.TODO,
        priority=Priority.MEDIUM,
        parent_id=parent,
        created_by=by,
        created_at=NOW,
    )


def comment(
    by: UserId = ANA,
    body: str = "Done?",
    parent: CommentId | None = None,
    mentions: tuple[UserId, ...] = (),
    task_id: TaskId = TASK,
) -> CommentPosted:
    """Return the posting of a comment at NOW."""
    return CommentPosted(
        task_id=task_id,
        parent_id=parent,
        body=body,
        mentions=mentions,
        created_by=by,
        created_at=NOW,
    )


def attachment(
    by: UserId = ANA, state: ScanState = ScanState.CLEAN, size: int = 7, task_id: TaskId = TASK
) -> AttachmentUploaded:
    """Return the upload of a file at NOW."""
    return AttachmentUploaded(
        task_id=task_id,
        name="plan.pdf",
        media_type="application/pdf",
        size=size,
        sha256="0" * 64,
        state=state,
        created_by=by,
        created_at=NOW,
    )


def went(*path: TaskStatus) -> tuple[TaskStatusChanged, ...]:
    """Return the changes along *path*, which begins with TODO; work begins with the first step."""
    steps = [stepped(a, b) for a, b in zip((TaskStatus.TODO, *path), path, strict=False)]
    return tuple(
        replace(step, at=NOW)
        if step.to_group is StatusGroup.DONE or (step is steps[0] and step.to_group in STARTED)
        else step
        for step in steps
    )


CREATED = task()
ACCOUNTS = (
    account(ANA, "Ana"),
    account(BEN, "Ben"),
    account(CLEO, "Cleo"),
    account(DAN, "Dan"),
)
TEAM = founded(
    ACME, "acme", ana=(ANA, Role.ADMIN), ben=(BEN, Role.MANAGER), cleo=(CLEO, Role.MEMBER)
)
OPENED = ProjectCreated(key="ENG", name="Engine", created_by=ANA)
PROJECT = on(ENG, OPENED)
HERE = (TEAM, PROJECT, on(TASK, CREATED))
"""Acme with one project and one task, made by Ana."""

STRANGERS = (
    founded(OTHER, "other", dan=(DAN, Role.ADMIN)),
    on(FOREIGN_PROJECT, ProjectCreated(key="ENG", name="Theirs", created_by=DAN), org_id=OTHER),
    on(FOREIGN_TASK, task(by=DAN, project=FOREIGN_PROJECT), org_id=OTHER),
)
"""Another organization, which must not exist for Acme."""


async def events(log: EventLog, stream: UUID = TASK) -> list[str]:
    """Return the tags of what Acme has recorded in a stream, in order."""
    return [recorded.tag for recorded in await log.stream(stream, ACME)]
