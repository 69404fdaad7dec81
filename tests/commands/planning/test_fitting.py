"""Stories of what a template may name: all that its tasks can get."""

from typing import Any
from uuid import UUID

import pytest

from domain.base import CycleId, DomainError, MilestoneId, NotFound
from domain.planning.cycle import CycleDeleted
from domain.planning.field import (
    FieldDeleted,
    FieldNotInUse,
)
from domain.planning.template.values import StartingValues, Subtask
from domain.work.label import LabelDeleted
from domain.work.task.custom_field import FieldType, FieldValueNotValid, UnknownField
from domain.work.task.errors import CannotSeeProject
from domain.work.workflow.errors import UnknownStatus
from tests.commands.acme import HERE, OPS
from tests.commands.planning.plans import (
    BETA,
    ONE,
    OTHER_PROJECT,
    PLANNED,
    template,
)
from tests.commands.planning.templates import BUG, PRIVATE, RETIRED, create, field, label
from tests.domain.spec import BEN, CLEO, DAN, ENG
from tests.spec import Past, given, on

MISFITS: list[tuple[str, StartingValues, type[DomainError], tuple[Past, ...]]] = [
    ("an unknown status", StartingValues(status="TRIAGE"), UnknownStatus, ()),
    ("no label", StartingValues(labels=(BUG,)), NotFound, ()),
    ("a label of another project", StartingValues(labels=(BUG,)), NotFound, (label(OPS),)),
    (
        "a label in the trash",
        StartingValues(labels=(BUG,)),
        NotFound,
        (label(None, LabelDeleted()),),
    ),
    ("a stranger", StartingValues(assignees=(DAN,)), NotFound, ()),
    ("nobody who sees it", StartingValues(assignees=(CLEO,)), CannotSeeProject, (PRIVATE,)),
    ("no cycle", StartingValues(cycle_id=CycleId(UUID(int=99))), NotFound, ()),
    (
        "a cycle in the trash",
        StartingValues(cycle_id=ONE),
        NotFound,
        (on(ONE, CycleDeleted(project_id=ENG)),),
    ),
    ("no milestone", StartingValues(milestone_id=MilestoneId(UUID(int=99))), NotFound, ()),
]


class TestWhatATemplateNames:
    @pytest.mark.parametrize(
        ("values", "error", "past"), [row[1:] for row in MISFITS], ids=[row[0] for row in MISFITS]
    )
    def test_what_tasks_could_not_get_is_refused_or_left_out(
        self, values: StartingValues, error: type[DomainError], past: tuple[Past, ...]
    ) -> None:
        here = (*PLANNED, OTHER_PROJECT, *past)
        subtask = Subtask(title="Find it", values=values)

        given(*here).when(create(values=values)).then_refused(error)
        given(*here).when(create(subtasks=(subtask,))).then_refused(error)
        given(*here).when(create(values=values, fitted=True)).then(template("New"))

    @pytest.mark.parametrize(
        ("value", "error", "past"),
        [
            ("s", UnknownField, ()),
            (3, FieldValueNotValid, (field(),)),
            ("x", FieldValueNotValid, (field(),)),
            ("s", FieldNotInUse, (field("size", FieldType.SELECT, FieldDeleted(project_id=ENG)),)),
            ("s", FieldNotInUse, (field("size", FieldType.SELECT, RETIRED),)),
            (str(DAN), NotFound, (field("size", FieldType.USER),)),
        ],
    )
    def test_no_other_value_of_a_custom_field_is_taken(
        self, value: Any, error: type[DomainError], past: tuple[Past, ...]
    ) -> None:
        asked = create(fields={"size": value})

        given(*HERE, *past).when(asked).then_refused(error)
        left_out = create(fields={"size": value}, fitted=True)
        given(*HERE, *past).when(left_out).then(template("New"))

    def test_a_field_with_a_user_takes_a_member(self) -> None:
        asked = create(fields={"owner": str(BEN)})
        given(*HERE, field("owner", FieldType.USER)).when(asked).then(
            template("New", fields=f'{{"owner":"{BEN}"}}')
        )

    def test_a_template_of_the_organization_names_nothing_of_a_project(self) -> None:
        for values in (StartingValues(cycle_id=ONE), StartingValues(milestone_id=BETA)):
            given(*PLANNED).when(create(project=None, values=values)).then_refused(NotFound)
        labelled = create(project=None, values=StartingValues(labels=(BUG,)))
        given(*HERE, label(ENG)).when(labelled).then_refused(NotFound)
        filled = create(project=None, fields={"size": "s"})
        given(*HERE, field()).when(filled).then_refused(UnknownField)
        strange = create(project=None, values=StartingValues(assignees=(DAN,)))
        given(*HERE).when(strange).then_refused(NotFound)

    def test_a_template_of_the_organization_names_members_labels_and_any_status(self) -> None:
        values = StartingValues(status="TRIAGE", labels=(BUG,), assignees=(CLEO,))
        given(*HERE, label()).when(create(project=None, values=values)).then(
            template("New", None, values=values)
        )
