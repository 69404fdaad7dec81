"""A private project does not exist for others, whatever command they send."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields

from commands.base import Command
from commands.handler import CommandHandler
from commands.reads import Reads
from commands.sight import hidden_projects
from commands.work.project import ArchiveProject, CreateProject, EditProject
from commands.work.project_member import AddProjectMember, RemoveProjectMember
from commands.work.task import AssignTask, EditTask
from commands.work.task_create import CreateTask
from domain.base import LabelId, NotFound, UserId
from domain.claim import ProjectKeyTaken
from domain.identity.organization.membership import MemberRoleChanged, Role
from domain.planning.field import FieldCreated, stream_of_field
from domain.work.comment import CommentPosted
from domain.work.label import LabelCreated
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import (
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectKeyChanged,
    ProjectLeadAssigned,
    ProjectMemberAdded,
    ProjectMemberRemoved,
    ProjectTeamLinked,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.task.custom_field import FieldType
from domain.work.task.errors import CannotSeeProject
from domain.work.task.events import TaskAssigned
from domain.work.team import (
    TeamCreated,
    TeamDeleted,
    TeamLeaveCause,
    TeamMemberAdded,
    TeamMemberRemoved,
    TeamRole,
)
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, CHILD, COMMENT, CREATED, OPS, TEAM
from tests.commands.planning.plans import BETA, LATE, ONE, SPENT, cycle, milestone, spent, view
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, GEARS, NOW, TASK
from tests.spec import Past, context, given, on, opened, record
from tools.discover import leaves

PRIVATE, ORGANIZATION = Visibility.PRIVATE, Visibility.ORGANIZATION
OPENED = ProjectCreated(key="ENG", name="Engine", created_by=ANA, team_id=GEARS, visibility=PRIVATE)
MADE = on(GEARS, TeamCreated(name="Gears", created_by=ANA))
SAID = on(COMMENT, CommentPosted(task_id=TASK, body="Done?", created_by=ANA, created_at=NOW))
LABEL = LabelId(UUID(int=71))
BUG = LabelCreated(name="Bug", color="#ff0000", project_id=ENG, created_by=ANA, created_at=NOW)
SIZE = stream_of_field(ENG, "size")
SIZED = on(
    SIZE,
    FieldCreated(
        project_id=ENG, key="size", name="Size", kind=FieldType.TEXT, created_by=ANA, created_at=NOW
    ),
)
HIDDEN = (
    TEAM,
    MADE,
    on(ENG, OPENED),
    on(TASK, CREATED),
    SAID,
    on(LABEL, BUG),
    SIZED,
    on(ONE, cycle()),
    on(BETA, milestone()),
    on(LATE, view()),
    on(SPENT, spent()),
)
"""A private project of Ana's, with a task and a comment; Ben, a MANAGER, does not see it."""

TIES: list[tuple[str, Past]] = [
    ("a member", on(ENG, ProjectMemberAdded(user_id=BEN))),
    ("the lead", on(ENG, ProjectLeadAssigned(user_id=BEN))),
    ("in the team", on(GEARS, TeamMemberAdded(user_id=BEN, role=TeamRole.MEMBER))),
    ("an ADMIN", on(ACME, MemberRoleChanged(user_id=BEN, from_=Role.MANAGER, to=Role.ADMIN))),
    ("open to all", on(ENG, ProjectVisibilityChanged(from_=PRIVATE, to=ORGANIZATION))),
]
IDS = {
    "project_id": ENG,
    "task_id": TASK,
    "comment_id": COMMENT,
    "label_id": LABEL,
    "other_id": TASK,
    "field_id": SIZE,
    "cycle_id": ONE,
    "milestone_id": BETA,
    "view_id": LATE,
    "worklog_id": SPENT,
}
NAMING = {"project_id", "task_id", "label_id", "field_id", "cycle_id", "milestone_id", "view_id"}
CREATING = {"CreateProject"}
"""Commands that name a new thing by such an id."""

ON_PROJECTS: list[type[Command]] = [
    command
    for command in leaves(Command, "commands")
    if NAMING & {f.name for f in fields(command)}
    if command.needs is not None and command.__name__ not in CREATING
]
"""Every command on a project, or on something in one: also those that are written later."""


def blank(kind: type[Command]) -> Any:
    """Return a command that names what is hidden; what else it needs does not matter here."""
    asked = [f.name for f in fields(kind) if f.default is NODEFAULT or f.name == "project_id"]
    return kind(**{name: IDS.get(name) for name in asked})


async def permitted(log: EventLog, handler: CommandHandler, kind: type[Command]) -> bool:
    """Return whether Ben may send a command; if not, what is hidden must not exist for him."""
    try:
        await blank(kind).permit(Reads(handler.states, ACME), context(BEN))
    except NotFound as refused:
        return bool(refused.details)
    return True


@pytest.fixture
async def hidden() -> AsyncIterator[EventLog]:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HIDDEN)
        yield log


def test_there_are_commands_on_projects_tasks_and_comments() -> None:
    assert len(ON_PROJECTS) > 15


@pytest.mark.parametrize("kind", ON_PROJECTS)
async def test_no_command_reaches_what_its_sender_does_not_see(
    hidden: EventLog, kind: type[Command]
) -> None:
    assert not await permitted(hidden, CommandHandler(hidden), kind)

    await record(hidden, TIES[0][1])

    assert await permitted(hidden, CommandHandler(hidden), kind)


@pytest.mark.parametrize(("tie", "event"), TIES)
def test_whoever_has_a_tie_to_a_private_project_works_in_it(tie: str, event: Past) -> None:
    edit = EditTask(task_id=TASK, title="Oil both")

    given(*HIDDEN).when(edit, by=BEN).then_refused(NotFound)
    assert given(*HIDDEN, event).when(edit, by=BEN).recorded, tie


@pytest.mark.parametrize(("tie", "event"), TIES)
async def test_lists_leave_out_exactly_what_is_not_seen(
    hidden: EventLog, tie: str, event: Past
) -> None:
    states = CommandHandler(hidden).states
    assert await hidden_projects(hidden, states, ACME, BEN) == {ENG}
    assert await hidden_projects(hidden, states, ACME, ANA) == set()

    await record(hidden, event)

    assert await hidden_projects(hidden, states, ACME, BEN) == set(), tie


def test_a_task_is_not_assigned_to_whoever_does_not_see_it() -> None:
    assign = AssignTask(task_id=TASK, user_id=CLEO)

    given(*HIDDEN).when(assign).then_refused(CannotSeeProject, user_id=CLEO)
    member = on(ENG, ProjectMemberAdded(user_id=CLEO))
    given(*HIDDEN, member).when(assign).then(TaskAssigned(user_id=CLEO))


class TestEditProject:
    def test_whoever_makes_a_project_private_still_sees_it(self) -> None:
        opened = on(ENG, ProjectVisibilityChanged(from_=PRIVATE, to=ORGANIZATION))
        hide = EditProject(project_id=ENG, visibility=PRIVATE)
        hidden = ProjectVisibilityChanged(from_=ORGANIZATION, to=PRIVATE)

        given(*HIDDEN, opened).when(hide, by=ANA).then(hidden)
        given(*HIDDEN, opened).when(hide, by=BEN).then(hidden, ProjectMemberAdded(user_id=BEN))
        lead = EditProject(project_id=ENG, visibility=PRIVATE, lead_id=BEN)
        given(*HIDDEN, opened).when(lead, by=BEN).then(ProjectLeadAssigned(user_id=BEN), hidden)

    def test_a_project_is_linked_to_a_team_that_exists(self) -> None:
        link, unlink = (EditProject(project_id=ENG, team_id=team) for team in (GEARS, None))
        unlinked = on(ENG, ProjectTeamLinked(team_id=None))

        given(*HIDDEN).when(unlink).then(ProjectTeamLinked(team_id=None))
        given(*HIDDEN, unlinked).when(link).then(ProjectTeamLinked(team_id=GEARS))
        gone = on(GEARS, TeamDeleted())
        given(*HIDDEN, unlinked, gone).when(link).then_refused(NotFound, team_id=GEARS)

    def test_a_new_key_is_taken_and_the_old_one_kept(self) -> None:
        change = EditProject(project_id=ENG, key="MOT")
        changed = ProjectKeyChanged(from_="ENG", to="MOT")
        given(*HIDDEN).when(change).then(changed)

        for key in ("ENG", "MOT"):
            other = CreateProject(project_id=OPS, key=key, name="Other")
            given(*HIDDEN, on(ENG, changed)).when(other).then_refused(ProjectKeyTaken, key=key)
        back = EditProject(project_id=ENG, key="ENG")
        given(*HIDDEN, on(ENG, changed)).when(back).then(ProjectKeyChanged(from_="MOT", to="ENG"))


class TestMembersOfAProject:
    def test_a_member_is_added_once(self) -> None:
        add = AddProjectMember(project_id=ENG, user_id=CLEO)
        given(*HIDDEN).when(add).then(ProjectMemberAdded(user_id=CLEO))
        given(*HIDDEN, on(ENG, ProjectMemberAdded(user_id=CLEO))).when(add).then()
        stranger = AddProjectMember(project_id=ENG, user_id=UserId(OPS))
        given(*HIDDEN).when(stranger).then_refused(NotFound, user_id=OPS)

    def test_a_member_is_removed_or_leaves_even_from_an_archived_project(self) -> None:
        here = (*HIDDEN, on(ENG, ProjectMemberAdded(user_id=CLEO), ProjectArchived()))
        remove = RemoveProjectMember(project_id=ENG, user_id=CLEO)
        for by in (ANA, CLEO):
            given(*here).when(remove, by=by).then(ProjectMemberRemoved(user_id=CLEO))
        given(*HIDDEN).when(remove, by=CLEO).then_refused(NotFound)
        add = AddProjectMember(project_id=ENG, user_id=BEN)
        given(*here).when(add).then_refused(ProjectIsArchived)

    def test_the_creator_is_the_first_member(self) -> None:
        create = CreateProject(project_id=OPS, key="OPS", name="Ops", visibility=PRIVATE)
        made = given(TEAM).when(create, by=BEN).recorded
        assert given(TEAM, *made).when(ArchiveProject(project_id=OPS), by=BEN).recorded


def test_a_task_is_not_created_where_it_cannot_be_seen() -> None:
    create = CreateTask(task_id=CHILD, project_id=ENG, title="One")
    given(*HIDDEN).when(create, by=CLEO).then_refused(NotFound)
    given(*HIDDEN, on(ENG, ProjectDeleted())).when(create).then_refused(NotFound)


def test_whoever_was_removed_from_the_team_sees_nothing_more() -> None:
    joined = TeamMemberAdded(user_id=BEN, role=TeamRole.LEAD)
    removed = TeamMemberRemoved(user_id=BEN, cause=TeamLeaveCause.REMOVED)
    edit = EditTask(task_id=TASK, title="Oil both")
    given(*HIDDEN, on(GEARS, joined, removed)).when(edit, by=BEN).then_refused(NotFound)
