"""Stories of the commands on labels, and on the labels of tasks."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from commands.base import Command
from commands.work.label import CreateLabel, DeleteLabel, EditLabel, RestoreLabel
from commands.work.task_create import CreateTask
from commands.work.task_label import LabelTask, UnlabelTask
from domain.base import LabelId, NotFound, ProjectId
from domain.work.label import (
    LabelCreated,
    LabelDeleted,
    LabelNameTaken,
    LabelRecolored,
    LabelRenamed,
    LabelRestored,
)
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import ProjectArchived, ProjectCreated, ProjectDeleted
from domain.work.task.errors import TooManyLabels
from domain.work.task.events import TaskLabelled, TaskUnlabelled
from domain.work.task.state import LABELS_MAX
from tests.commands.acme import CHILD, FOREIGN_PROJECT, HERE, OPS, STRANGERS, task
from tests.domain.spec import ANA, CLEO, DAN, ENG, NOW, OTHER, TASK
from tests.spec import Past, given, on

BUG, IDEA, THEIRS = (LabelId(UUID(int=n)) for n in (71, 72, 73))


def made(name: str = "Bug", project: ProjectId | None = None) -> LabelCreated:
    return LabelCreated(
        name=name, color="#ff0000", project_id=project, created_by=ANA, created_at=NOW
    )


def create(name: str = "Bug", project: ProjectId | None = None) -> CreateLabel:
    return CreateLabel(label_id=IDEA, name=name, color="#FF0000", project_id=project)


KNOWN = (*HERE, on(BUG, made()))
IN_ENG = (*HERE, on(BUG, made(project=ENG)))
GONE = on(BUG, LabelDeleted())
OTHER_PROJECT = on(OPS, ProjectCreated(key="OPS", name="Other", created_by=ANA))


class TestCreateLabel:
    def test_every_member_creates_labels_of_the_organization_or_a_project(self) -> None:
        given(*HERE).when(create()).then(on(IDEA, made()))
        given(*HERE).when(create(project=ENG)).then(on(IDEA, made(project=ENG)))
        by_cleo = LabelCreated(name="Bug", color="#ff0000", created_by=CLEO, created_at=NOW)
        given(*HERE).when(create(), by=CLEO).then(on(IDEA, by_cleo))

    @pytest.mark.parametrize("name", ["Bug", "bUG", " bug"])
    def test_a_name_is_given_once_whatever_its_case(self, name: str) -> None:
        given(*KNOWN).when(create(name)).then_refused(LabelNameTaken, name=name)
        given(*IN_ENG).when(create(name, ENG)).then_refused(LabelNameTaken, name=name)

    def test_the_same_name_can_be_given_elsewhere(self) -> None:
        given(*KNOWN).when(create(project=ENG)).then(made(project=ENG))
        given(*IN_ENG).when(create()).then(made())
        given(*IN_ENG, OTHER_PROJECT).when(create(project=OPS)).then(made(project=OPS))

    def test_the_name_of_a_label_in_the_trash_is_free(self) -> None:
        given(*KNOWN, GONE).when(create()).then(made())

    def test_creating_it_again_records_nothing(self) -> None:
        given(*HERE, on(IDEA, made())).when(create()).then()

    def test_no_project_of_another_organization_gets_a_label(self) -> None:
        given(*HERE, *STRANGERS).when(create(project=FOREIGN_PROJECT)).then_refused(NotFound)


class TestEditLabel:
    def test_an_edit_records_one_event_per_field(self) -> None:
        asked = EditLabel(label_id=BUG, name="Defect", color="#00FF00")
        given(*KNOWN).when(asked, by=CLEO).then(
            LabelRenamed(from_="Bug", to="Defect"),
            LabelRecolored(from_="#ff0000", to="#00ff00"),
        )

    def test_a_new_name_must_be_free_and_frees_the_old_one(self) -> None:
        idea = on(IDEA, made("Idea"))
        given(*KNOWN, idea).when(EditLabel(label_id=BUG, name="IDEA")).then_refused(LabelNameTaken)
        renamed = on(BUG, LabelRenamed(from_="Bug", to="Defect"))
        given(*KNOWN, renamed).when(create()).then(made())

    def test_only_the_case_of_a_name_can_change(self) -> None:
        renamed = LabelRenamed(from_="Bug", to="BUG")
        given(*KNOWN).when(EditLabel(label_id=BUG, name="BUG")).then(renamed)
        given(*KNOWN, on(BUG, renamed)).when(create()).then_refused(LabelNameTaken)


class TestDeleteAndRestoreLabel:
    def test_a_label_goes_to_the_trash_and_comes_back(self) -> None:
        given(*KNOWN).when(DeleteLabel(label_id=BUG)).then(on(BUG, LabelDeleted(owner=ANA)))
        given(*KNOWN, GONE).when(RestoreLabel(label_id=BUG)).then(on(BUG, LabelRestored()))
        given(*KNOWN).when(RestoreLabel(label_id=BUG)).then()

    def test_a_label_does_not_come_back_while_another_has_its_name(self) -> None:
        idea = on(IDEA, made("bug"))
        given(*KNOWN, GONE, idea).when(RestoreLabel(label_id=BUG)).then_refused(LabelNameTaken)


EVERY = [
    EditLabel(label_id=BUG, name="X"),
    DeleteLabel(label_id=BUG),
    RestoreLabel(label_id=BUG),
]


@pytest.mark.parametrize("asked", EVERY, ids=lambda asked: type(asked).__name__)
class TestEveryLabelCommand:
    def test_label_commands_find_no_missing_label(self, asked: Command) -> None:
        given(*HERE).when(asked).then_refused(NotFound)

    def test_label_commands_find_nothing_for_strangers(self, asked: Command) -> None:
        given(*KNOWN, *STRANGERS).when(asked, by=DAN, org_id=OTHER).then_refused(NotFound)

    def test_labels_of_a_project_go_with_it(self, asked: Command) -> None:
        past = (*IN_ENG, GONE) if isinstance(asked, RestoreLabel) else IN_ENG
        given(*past, on(ENG, ProjectArchived())).when(asked).then_refused(ProjectIsArchived)
        given(*past, on(ENG, ProjectDeleted())).when(asked).then_refused(NotFound)


class TestLabelTask:
    ASKED = LabelTask(task_id=TASK, label_id=BUG)
    LABELLED = on(TASK, TaskLabelled(label_id=BUG))

    @pytest.mark.parametrize("past", [KNOWN, IN_ENG], ids=["organization", "project"])
    def test_a_task_gets_a_label_of_its_project_or_organization_once(
        self, past: Sequence[Past]
    ) -> None:
        given(*past).when(self.ASKED, by=CLEO).then(self.LABELLED)
        given(*past, self.LABELLED).when(self.ASKED).then()

    def test_a_label_of_another_project_or_organization_is_not_found(self) -> None:
        in_ops = on(BUG, made(project=OPS))
        given(*HERE, OTHER_PROJECT, in_ops).when(self.ASKED).then_refused(NotFound, label_id=BUG)
        theirs = Past(THEIRS, (made(),), OTHER)
        asked = LabelTask(task_id=TASK, label_id=THEIRS)
        given(*HERE, *STRANGERS, theirs).when(asked).then_refused(NotFound)
        given(*HERE).when(self.ASKED).then_refused(NotFound)

    def test_a_label_in_the_trash_is_given_to_no_task(self) -> None:
        given(*KNOWN, GONE).when(self.ASKED).then_refused(NotFound, label_id=BUG)
        back = on(BUG, LabelRestored())
        given(*KNOWN, GONE, back).when(self.ASKED).then(self.LABELLED)

    def test_a_label_can_be_removed_even_from_the_trash(self) -> None:
        asked = UnlabelTask(task_id=TASK, label_id=BUG)
        removed = on(TASK, TaskUnlabelled(label_id=BUG))
        given(*KNOWN, self.LABELLED).when(asked).then(removed)
        given(*KNOWN, self.LABELLED, GONE).when(asked).then(removed)
        given(*KNOWN).when(asked).then()

    def test_a_task_has_at_most_fifty_labels(self) -> None:
        others = (LabelId(UUID(int=n)) for n in range(1_000, 1_000 + LABELS_MAX))
        known = [on(label, made(f"Label {label.int}")) for label in others]
        full = on(TASK, *(TaskLabelled(label_id=LabelId(past.stream)) for past in known))
        given(*KNOWN, *known, full).when(self.ASKED).then_refused(TooManyLabels, limit=LABELS_MAX)


class TestCreateTaskWithLabels:
    def test_a_new_task_has_the_labels_each_once(self) -> None:
        asked = CreateTask(task_id=CHILD, project_id=ENG, title="Oil it", labels=(BUG, BUG))
        given(*KNOWN).when(asked).then(on(CHILD, task(2), TaskLabelled(label_id=BUG)))

    def test_a_new_task_gets_no_label_from_elsewhere_or_the_trash(self) -> None:
        asked = CreateTask(task_id=CHILD, project_id=ENG, title="Oil it", labels=(BUG,))
        in_ops = on(BUG, made(project=OPS))
        given(*HERE, OTHER_PROJECT, in_ops).when(asked).then_refused(NotFound, label_id=BUG)
        given(*KNOWN, GONE).when(asked).then_refused(NotFound, label_id=BUG)
