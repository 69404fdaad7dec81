"""Stories of the commands on task templates."""

import pytest

from commands.base import Command
from commands.planning.template import (
    DeleteTemplate,
    RestoreTemplate,
    ValuesChange,
)
from domain.base import NotFound
from domain.planning.cycle import CycleDeleted
from domain.planning.template.errors import TemplateNameTaken
from domain.planning.template.events import (
    TemplateDeleted,
    TemplateDescribed,
    TemplateFieldsChanged,
    TemplateRenamed,
    TemplateRestored,
    TemplateSubtasksChanged,
    TemplateTextChanged,
    TemplateTitled,
    TemplateValuesChanged,
)
from domain.planning.template.values import LEFT_OPEN, StartingValues, Subtask
from domain.work.label import LabelDeleted
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import (
    ProjectArchived,
    ProjectDeleted,
)
from domain.work.task.custom_field import FieldType, FieldValueNotValid
from domain.work.task.errors import StartsAfterDue
from domain.work.task.events import Priority
from tests.commands.acme import FOREIGN_PROJECT, HERE, OPS, STRANGERS
from tests.commands.planning.plans import (
    BETA,
    BUG_FORM,
    ONE,
    OTHER_PROJECT,
    PLANNED,
    template,
)
from tests.commands.planning.templates import (
    BUG,
    FIND,
    GONE,
    HIGH,
    KEPT,
    NEW,
    PRIVATE,
    RETIRED,
    create,
    edit,
    field,
    label,
)
from tests.domain.spec import ANA, BEN, CLEO, DAN, ENG
from tests.spec import Past, given, on


class TestCreateTemplate:
    def test_every_member_creates_templates_of_a_project_or_of_the_organization(self) -> None:
        for project in (ENG, None):
            given(*HERE).when(create(project=project), by=CLEO).then(
                on(NEW, template("New", project, CLEO))
            )

    def test_a_template_keeps_what_tasks_start_with(self) -> None:
        values = StartingValues(
            status="TODO",
            priority=Priority.HIGH,
            estimate=3,
            labels=(BUG,),
            assignees=(CLEO,),
            start_in=0,
            due_in=7,
            cycle_id=ONE,
            milestone_id=BETA,
        )
        asked = create(
            description="For bugs",
            title="A bug",
            text="Steps:",
            values=values,
            fields={"size": "s"},
            subtasks=(FIND,),
        )
        given(*PLANNED, label(ENG), field()).when(asked).then(
            template(
                "New",
                description="For bugs",
                title="A bug",
                text="Steps:",
                values=values,
                fields='{"size":"s"}',
                subtasks=(HIGH,),
                subtask_titles="Find it",
            )
        )

    def test_a_name_is_given_once_in_a_project_and_once_in_the_organization(self) -> None:
        given(*KEPT).when(create("BUG")).then_refused(TemplateNameTaken, name="BUG")
        given(*KEPT, GONE).when(create("BUG")).then(template("BUG"))
        given(*KEPT, OTHER_PROJECT).when(create("Bug", OPS)).then(template("Bug", OPS))
        given(*KEPT).when(create("Bug", None)).then(template("Bug", None))

    def test_creating_it_again_records_nothing(self) -> None:
        given(*HERE, on(NEW, template("New"))).when(create()).then()

    def test_only_a_project_that_is_here_gets_a_template(self) -> None:
        given(*HERE, *STRANGERS).when(create(project=FOREIGN_PROJECT)).then_refused(NotFound)
        given(*HERE, on(ENG, ProjectDeleted())).when(create()).then_refused(NotFound)
        given(*HERE, on(ENG, ProjectArchived())).when(create()).then_refused(ProjectIsArchived)
        given(*HERE, PRIVATE).when(create(), by=CLEO).then_refused(NotFound)

    def test_no_task_starts_after_it_is_due(self) -> None:
        late = StartingValues(start_in=2, due_in=1)
        given(*HERE).when(create(values=late)).then_refused(StartsAfterDue)


class TestEditTemplate:
    def test_every_part_is_changed_at_once(self) -> None:
        asked = edit(
            name="Defect",
            description="For bugs",
            title="A bug",
            text="Steps:",
            values=ValuesChange(priority=Priority.HIGH, start_in=1, due_in=3),
            fields={"size": "s"},
            subtasks=(FIND,),
        )
        given(*KEPT, field()).when(asked, by=CLEO).then(
            TemplateRenamed(from_="Bug", to="Defect"),
            TemplateDescribed(description="For bugs"),
            TemplateTitled(from_=None, to="A bug"),
            TemplateTextChanged(text="Steps:"),
            TemplateValuesChanged(from_=LEFT_OPEN, to=HIGH),
            TemplateFieldsChanged(fields='{"size":"s"}'),
            TemplateSubtasksChanged(subtasks=(HIGH,), subtask_titles="Find it"),
        )
        given(*KEPT).when(edit()).then()

    def test_what_a_template_has_already_need_not_fit_any_more(self) -> None:
        values = StartingValues(labels=(BUG,), cycle_id=ONE, assignees=(CLEO,))
        kept = on(
            BUG_FORM,
            template(
                values=values, fields='{"size":"s"}', subtasks=(values,), subtask_titles="Find it"
            ),
        )
        past = (
            *PLANNED,
            kept,
            label(None, LabelDeleted()),
            field("size", FieldType.SELECT, RETIRED),
            on(ONE, CycleDeleted(project_id=ENG)),
        )
        same = ValuesChange(labels=(BUG,), cycle_id=ONE, assignees=(CLEO, BEN))
        after = StartingValues(labels=(BUG,), cycle_id=ONE, assignees=(CLEO, BEN))
        renamed = Subtask(title="Look for it", values=values)

        given(*past).when(edit(values=same, fields={"size": "s"}, subtasks=(renamed,))).then(
            TemplateValuesChanged(from_=values, to=after),
            TemplateSubtasksChanged(subtasks=(values,), subtask_titles="Look for it"),
        )

    @pytest.mark.parametrize(
        "asked",
        [
            edit(values=ValuesChange(labels=(BUG,))),
            edit(values=ValuesChange(assignees=(DAN,))),
            edit(subtasks=(Subtask(title="X", values=StartingValues(labels=(BUG,))),)),
        ],
    )
    def test_what_is_new_has_to_fit(self, asked: Command) -> None:
        given(*KEPT).when(asked).then_refused(NotFound)

    def test_a_field_gets_only_values_that_it_takes(self) -> None:
        given(*KEPT, field()).when(edit(fields={"size": "x"})).then_refused(FieldValueNotValid)

    def test_a_name_that_another_has_is_refused(self) -> None:
        other = on(NEW, template("Defect"))
        given(*KEPT, other).when(edit(name="DEFECT")).then_refused(TemplateNameTaken)
        given(*KEPT, other).when(edit(name="BUG")).then(TemplateRenamed(from_="Bug", to="BUG"))


class TestDeleteAndRestore:
    def test_a_template_goes_to_the_trash_and_comes_back(self) -> None:
        given(*KEPT).when(DeleteTemplate(template_id=BUG_FORM), by=CLEO).then(
            TemplateDeleted(project_id=ENG, owner=ANA)
        )
        given(*KEPT, GONE).when(RestoreTemplate(template_id=BUG_FORM)).then(TemplateRestored())
        given(*KEPT).when(RestoreTemplate(template_id=BUG_FORM)).then()

    def test_it_does_not_come_back_if_another_has_its_name(self) -> None:
        other = on(NEW, template("bug"))
        restore = RestoreTemplate(template_id=BUG_FORM)
        given(*KEPT, GONE, other).when(restore).then_refused(TemplateNameTaken)

    @pytest.mark.parametrize(
        "command",
        [edit(name="X"), DeleteTemplate(template_id=BUG_FORM)],
        ids=lambda each: type(each).__name__,
    )
    def test_nothing_happens_to_one_in_the_trash(self, command: Command) -> None:
        given(*KEPT, GONE).when(command).then_refused(NotFound)

    @pytest.mark.parametrize(
        ("command", "past"),
        [
            (edit(name="X"), ()),
            (DeleteTemplate(template_id=BUG_FORM), ()),
            (RestoreTemplate(template_id=BUG_FORM), (GONE,)),
        ],
        ids=lambda each: type(each).__name__,
    )
    def test_it_is_for_those_who_see_a_project_that_can_be_edited(
        self, command: Command, past: tuple[Past, ...]
    ) -> None:
        kept = (*KEPT, *past)
        given(*kept, on(ENG, ProjectArchived())).when(command).then_refused(ProjectIsArchived)
        given(*kept, on(ENG, ProjectDeleted())).when(command).then_refused(NotFound)
        given(*kept, PRIVATE).when(command, by=CLEO).then_refused(NotFound)
        given(*kept, *STRANGERS).when(command, by=DAN).then_refused(NotFound)
