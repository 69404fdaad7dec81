"""Stories of the commands on milestones."""

import pytest

from commands.base import Command, NotPermitted
from commands.planning.milestone import (
    CreateMilestone,
    DeleteMilestone,
    EditMilestone,
    RestoreMilestone,
)
from domain.base import NotFound, ProjectId
from domain.planning.milestone import (
    MilestoneDated,
    MilestoneDeleted,
    MilestoneNameTaken,
    MilestoneRenamed,
    MilestoneRestored,
)
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import ProjectArchived, ProjectDeleted
from tests.commands.acme import FOREIGN_PROJECT, HERE, OPS, STRANGERS
from tests.commands.planning.plans import BETA, FIRST, GA, OTHER_PROJECT, PLANNED, milestone
from tests.domain.spec import BEN, CLEO, DAN, ENG, OTHER
from tests.spec import given, on

GONE = on(BETA, MilestoneDeleted(project_id=ENG))


def create(name: str = "GA", project: ProjectId = ENG) -> CreateMilestone:
    return CreateMilestone(milestone_id=GA, project_id=project, name=name)


class TestCreateMilestone:
    def test_managers_plan_milestones_and_members_do_not(self) -> None:
        given(*PLANNED).when(create()).then(on(GA, milestone("GA")))
        given(*PLANNED).when(create(), by=CLEO).then_refused(NotPermitted)

    def test_a_name_is_given_once_in_a_project_whatever_its_case(self) -> None:
        given(*PLANNED).when(create("BETA")).then_refused(MilestoneNameTaken, name="BETA")
        given(*PLANNED, GONE).when(create("BETA")).then(milestone("BETA"))
        given(*PLANNED, OTHER_PROJECT).when(create("Beta", OPS)).then(milestone("Beta", OPS))

    def test_creating_it_again_records_nothing(self) -> None:
        given(*PLANNED, on(GA, milestone("GA"))).when(create()).then()

    def test_no_project_of_another_organization_gets_a_milestone(self) -> None:
        asked = create(project=FOREIGN_PROJECT)
        given(*HERE, *STRANGERS).when(asked).then_refused(NotFound)


class TestEditMilestone:
    def test_an_edit_records_one_event_per_change(self) -> None:
        asked = EditMilestone(milestone_id=BETA, name="Preview", due_on=FIRST)
        given(*PLANNED).when(asked, by=BEN).then(
            MilestoneRenamed(project_id=ENG, from_="Beta", to="Preview"),
            MilestoneDated(project_id=ENG, from_=None, to=FIRST),
        )

    def test_a_new_name_must_be_free(self) -> None:
        past = (*PLANNED, on(GA, milestone("GA")))
        asked = EditMilestone(milestone_id=BETA, name="ga")
        given(*past).when(asked).then_refused(MilestoneNameTaken)


class TestDeleteAndRestoreMilestone:
    def test_a_milestone_goes_to_the_trash_and_comes_back(self) -> None:
        back = on(BETA, MilestoneRestored(project_id=ENG))
        given(*PLANNED).when(DeleteMilestone(milestone_id=BETA)).then(GONE)
        given(*PLANNED, GONE).when(RestoreMilestone(milestone_id=BETA)).then(back)
        given(*PLANNED).when(RestoreMilestone(milestone_id=BETA)).then()

    def test_a_milestone_does_not_come_back_while_another_has_its_name(self) -> None:
        other = on(GA, milestone("beta"))
        asked = RestoreMilestone(milestone_id=BETA)
        given(*PLANNED, GONE, other).when(asked).then_refused(MilestoneNameTaken)


EVERY = [
    EditMilestone(milestone_id=BETA, name="X"),
    DeleteMilestone(milestone_id=BETA),
    RestoreMilestone(milestone_id=BETA),
]


@pytest.mark.parametrize("asked", EVERY, ids=lambda asked: type(asked).__name__)
class TestEveryMilestoneCommand:
    def test_milestone_commands_find_no_missing_milestone(self, asked: Command) -> None:
        given(*HERE).when(asked).then_refused(NotFound)

    def test_members_do_not_change_milestones(self, asked: Command) -> None:
        given(*PLANNED).when(asked, by=CLEO).then_refused(NotPermitted)

    def test_milestone_commands_find_nothing_for_strangers(self, asked: Command) -> None:
        given(*PLANNED, *STRANGERS).when(asked, by=DAN, org_id=OTHER).then_refused(NotFound)

    def test_milestones_go_with_their_project(self, asked: Command) -> None:
        past = (*PLANNED, GONE) if isinstance(asked, RestoreMilestone) else PLANNED
        given(*past, on(ENG, ProjectArchived())).when(asked).then_refused(ProjectIsArchived)
        given(*past, on(ENG, ProjectDeleted())).when(asked).then_refused(NotFound)
