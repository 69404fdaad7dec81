"""Stories of the commands on projects."""

from typing import Any
from uuid import UUID

import pytest

from commands.base import Command, NoOrganization, NotPermitted
from commands.work.project import (
    ArchiveProject,
    CreateProject,
    DeleteProject,
    EditProject,
    HoldProject,
    RestoreProject,
    ResumeProject,
    UnarchiveProject,
)
from domain.base import Event, NotFound, ProjectId, UserId
from domain.claim import ProjectKeyTaken
from domain.identity.organization.membership import MemberDeactivated
from domain.work.project.errors import ProjectIsArchived, ProjectKeyNotAllowed
from domain.work.project.events import (
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
    ProjectLeadAssigned,
    ProjectPutOnHold,
    ProjectRenamed,
    ProjectRestored,
    ProjectResumed,
    ProjectUnarchived,
)
from tests.commands.acme import FOREIGN_PROJECT, HERE, OPS, PROJECT, STRANGERS, TEAM
from tests.domain.spec import ACME, ANA, BEN, CLEO, DAN, ENG, OTHER, TASK
from tests.spec import Past, given, on

NOWHERE = ProjectId(UUID(int=99))
ON_HOLD, ARCHIVED = on(ENG, ProjectPutOnHold()), on(ENG, ProjectArchived())
IN_TRASH = on(ENG, ProjectDeleted())


def create(**about: object) -> CreateProject:
    details: dict[str, object] = {"project_id": OPS, "key": "OPS", "name": "Operations"}
    return CreateProject(**(details | about))  # type: ignore[arg-type]  # what is given is checked at run time


class TestCreateProject:
    def test_creating_a_project_claims_its_key(self) -> None:
        given(TEAM).when(create(lead_id=CLEO, description="Why"), by=BEN).then(
            on(
                OPS,
                ProjectCreated(
                    key="OPS", name="Operations", description="Why", lead_id=CLEO, created_by=BEN
                ),
            ),
        )

    def test_creating_a_project_again_records_nothing(self) -> None:
        given(TEAM, PROJECT).when(create(project_id=ENG, key="ENG")).then()

    def test_a_key_that_was_ever_used_is_refused(self) -> None:
        story = given(TEAM, PROJECT, IN_TRASH).when(create(key="ENG"))
        story.then_refused(ProjectKeyTaken, key="ENG")

    def test_a_key_of_another_organization_can_be_used(self) -> None:
        theirs = on(FOREIGN_PROJECT, ProjectCreated(key="OPS", name="Ours", created_by=DAN))
        story = given(TEAM, theirs._replace(org_id=OTHER)).when(create())
        assert len(story.recorded) == 1

    def test_a_malformed_key_is_refused(self) -> None:
        given(TEAM).when(create(key="ops")).then_refused(ProjectKeyNotAllowed)

    def test_is_refused_to_members(self) -> None:
        given(TEAM).when(create(), by=CLEO).then_refused(NotPermitted)

    def test_finds_no_lead_outside_the_organization(self) -> None:
        given(TEAM).when(create(lead_id=DAN)).then_refused(NotFound, user_id=DAN)

    def test_a_project_cannot_take_the_id_of_another_organizations(self) -> None:
        given(TEAM, *STRANGERS).when(create(project_id=FOREIGN_PROJECT)).then_refused(NotFound)

    def test_creating_a_project_needs_an_organization(self) -> None:
        given(TEAM).when(create(), org_id=None).then_refused(NoOrganization)


class TestEditProject:
    def test_an_edit_records_one_event_per_field(self) -> None:
        asked = EditProject(project_id=ENG, name="New", description="Why", lead_id=CLEO)
        given(*HERE).when(asked, by=BEN).then(
            ProjectRenamed(from_="Engine", to="New"),
            ProjectDescribed(description="Why"),
            ProjectLeadAssigned(user_id=CLEO),
        )

    def test_an_edit_without_changes_records_nothing(self) -> None:
        asked = EditProject(project_id=ENG, name="Engine", description=None, lead_id=None)
        given(*HERE).when(asked).then()

    def test_an_empty_edit_records_nothing(self) -> None:
        given(*HERE).when(EditProject(project_id=ENG)).then()

    def test_finds_no_lead_outside_the_organization(self) -> None:
        given(*HERE).when(EditProject(project_id=ENG, lead_id=DAN)).then_refused(NotFound)

    def test_a_deactivated_lead_is_not_found(self) -> None:
        closed = on(ACME, MemberDeactivated(user_id=CLEO))
        asked = EditProject(project_id=ENG, lead_id=CLEO)
        given(*HERE, closed).when(asked).then_refused(NotFound)

    def test_an_archived_project_cannot_be_edited(self) -> None:
        asked = EditProject(project_id=ENG, name="New")
        given(*HERE, ARCHIVED).when(asked).then_refused(ProjectIsArchived)

    def test_an_empty_edit_of_a_deleted_project_is_not_found(self) -> None:
        given(*HERE, IN_TRASH).when(EditProject(project_id=ENG)).then_refused(NotFound)


MOVES: list[tuple[list[Past], Command, Event | None]] = [
    ([], HoldProject(project_id=ENG, reason="Budget"), ProjectPutOnHold(reason="Budget")),
    ([ON_HOLD], HoldProject(project_id=ENG), None),
    ([ON_HOLD], ResumeProject(project_id=ENG), ProjectResumed()),
    ([], ResumeProject(project_id=ENG), None),
    ([], ArchiveProject(project_id=ENG), ProjectArchived()),
    ([ON_HOLD], ArchiveProject(project_id=ENG), ProjectArchived()),
    ([ARCHIVED], ArchiveProject(project_id=ENG), None),
    ([ARCHIVED], UnarchiveProject(project_id=ENG), ProjectUnarchived()),
    ([], UnarchiveProject(project_id=ENG), None),
    ([], DeleteProject(project_id=ENG), ProjectDeleted()),
    ([ARCHIVED], DeleteProject(project_id=ENG), ProjectDeleted()),
    ([IN_TRASH], RestoreProject(project_id=ENG), ProjectRestored()),
    ([], RestoreProject(project_id=ENG), None),
]


class TestMovingAProject:
    @pytest.mark.parametrize(("past", "command", "event"), MOVES)
    def test_each_status_change_is_recorded_once(
        self, past: list[Past], command: Command, event: Event | None
    ) -> None:
        story = given(*HERE, *past).when(command, by=BEN)

        story.then(*([on(ENG, event)] if event else []))

    @pytest.mark.parametrize("move", [HoldProject, ResumeProject])
    def test_only_unarchiving_leaves_the_archive(self, move: type[Command]) -> None:
        given(*HERE, ARCHIVED).when(_of(move, ENG)).then_refused(ProjectIsArchived)


EVERY = [
    EditProject,
    HoldProject,
    ResumeProject,
    ArchiveProject,
    UnarchiveProject,
    DeleteProject,
    RestoreProject,
]


@pytest.mark.parametrize("kind", EVERY)
class TestEveryProjectCommand:
    def test_is_refused_to_members(self, kind: type[Command]) -> None:
        given(*HERE).when(_of(kind, ENG), by=CLEO).then_refused(NotPermitted)

    @pytest.mark.parametrize("by", [DAN, UserId(UUID(int=77))])
    def test_project_commands_find_nothing_for_a_stranger(
        self, kind: type[Command], by: UserId
    ) -> None:
        given(*HERE, *STRANGERS).when(_of(kind, ENG), by=by).then_refused(NotFound)

    @pytest.mark.parametrize("stream", [NOWHERE, FOREIGN_PROJECT, TASK, ACME])
    def test_project_commands_find_nothing_in_another_organization(
        self, kind: type[Command], stream: UUID
    ) -> None:
        given(*HERE, *STRANGERS).when(_of(kind, stream), by=ANA).then_refused(NotFound)

    def test_only_restoring_finds_a_deleted_project(self, kind: type[Command]) -> None:
        if kind is not RestoreProject:
            given(*HERE, IN_TRASH).when(_of(kind, ENG)).then_refused(NotFound)


def _of(kind: type[Command], stream: UUID) -> Command:
    fields: dict[str, Any] = {"project_id": stream}
    return kind(**fields)
