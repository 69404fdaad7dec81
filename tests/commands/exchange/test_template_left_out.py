"""Stories of what a task does not get from its template, and of templates that are not used."""

from datetime import timedelta
from typing import Any

import pytest

from commands.exchange.from_template import CreateFromTemplate
from domain.base import NotFound
from domain.identity.organization.membership import LeaveCause, MemberLeft
from domain.planning.cycle import CycleDeleted
from domain.planning.field import FieldDeleted, stream_of_field
from domain.planning.milestone import MilestoneDeleted
from domain.planning.template.errors import TitleMissing
from domain.planning.template.events import TemplateDeleted
from domain.planning.template.values import StartingValues
from domain.work.label import LabelDeleted
from domain.work.project.errors import ProjectOnHold
from domain.work.project.events import ProjectPutOnHold
from domain.work.task.errors import StartsAfterDue, SubtasksTooDeep
from domain.work.task.events import TaskAssigned
from tests.commands.acme import HERE, OPS, STRANGERS
from tests.commands.exchange.using import FULL, MAIN, MARK, TODAY, Noted, kept, made, use
from tests.commands.planning.plans import (
    BETA,
    BUG_FORM,
    ONE,
    OTHER_PROJECT,
    PLANNED,
    template,
)
from tests.commands.planning.templates import BUG, HIGH, PRIVATE, field, label
from tests.commands.work.test_task_tree import CHAIN, NODES
from tests.domain.spec import ACME, ANA, CLEO, DAN, ENG
from tests.spec import Past, given, on


class TestWhatIsLeftOut:
    @pytest.mark.parametrize(
        ("gone", "field_name"),
        [
            (on(BUG, LabelDeleted()), "labels"),
            (on(ONE, CycleDeleted(project_id=ENG)), "cycle_id"),
            (on(BETA, MilestoneDeleted(project_id=ENG)), "milestone_id"),
            (on(ACME, MemberLeft(user_id=CLEO, cause=LeaveCause.REMOVED)), "assignees"),
            (PRIVATE, "assignees"),
        ],
    )
    def test_what_no_longer_holds_is_left_out_of_every_task(
        self, gone: Past, field_name: str
    ) -> None:
        values = StartingValues(**{field_name: getattr(FULL, field_name)})
        form = kept(values=values, subtasks=(values,), subtask_titles="Find it")
        noted = Noted()

        past = (*PLANNED, label(ENG), form, gone)
        given(*past).when(use(noted)).then(made(), MARK, made("Find it", 3, parent_id=MAIN), MARK)
        code = "cannot_see_project" if gone is PRIVATE else "not_found"
        assert noted.left_out == [(None, field_name, code), (0, field_name, code)]

    def test_a_value_of_a_field_in_the_trash_is_left_out(self) -> None:
        noted = Noted()
        gone = on(stream_of_field(ENG, "size"), FieldDeleted(project_id=ENG))

        given(*HERE, field(), kept(fields='{"size":"s"}'), gone).when(use(noted)).then(made(), MARK)
        assert noted.left_out == [(None, "fields.size", "field_not_in_use")]

    def test_each_value_that_is_left_out_is_told(self) -> None:
        noted = Noted()
        form = kept(values=StartingValues(status="TRIAGE", labels=(BUG,), assignees=(DAN, ANA)))

        given(*HERE, form).when(use(noted)).then(made(), MARK, TaskAssigned(user_id=ANA))
        assert [each[1] for each in noted.left_out] == ["status", "labels", "assignees"]

    def test_a_value_that_is_asked_for_is_not_missed(self) -> None:
        noted = Noted()
        gone = on(stream_of_field(ENG, "size"), FieldDeleted(project_id=ENG))
        asked = use(noted, fields={"size": None})

        given(*HERE, field(), kept(fields='{"size":"s"}'), gone).when(asked).then(made(), MARK)
        assert noted.left_out == []

    def test_a_status_that_the_project_does_not_have_is_left_out(self) -> None:
        noted = Noted()
        form = on(
            BUG_FORM,
            template(project=None, title="A bug", values=StartingValues(status="TRIAGE")),
        )

        given(*HERE, form).when(use(noted)).then(made(), MARK)
        assert noted.left_out == [(None, "status", "unknown_status")]


class TestRefusals:
    def test_a_task_needs_a_title(self) -> None:
        given(*HERE, kept(title=None)).when(use()).then_refused(TitleMissing)
        given(*HERE, kept(title=None)).when(use(title="Own")).then(made("Own"), MARK)

    @pytest.mark.parametrize(
        ("past", "asked"),
        [
            ((), use()),
            ((kept(), on(BUG_FORM, TemplateDeleted())), use()),
            ((kept(), OTHER_PROJECT), use(project_id=OPS)),
        ],
    )
    def test_only_a_template_that_is_there_for_the_project_is_used(
        self, past: tuple[Past, ...], asked: CreateFromTemplate
    ) -> None:
        given(*HERE, *past).when(asked).then_refused(NotFound, template_id=BUG_FORM)

    def test_it_is_for_those_who_see_a_project_that_takes_tasks(self) -> None:
        given(*HERE, kept(), PRIVATE).when(use(), by=CLEO).then_refused(NotFound)
        given(*HERE, kept(), *STRANGERS).when(use(), by=DAN).then_refused(NotFound)
        held = on(ENG, ProjectPutOnHold(reason=None))
        given(*HERE, kept(), held).when(use()).then_refused(ProjectOnHold)

    def test_subtasks_that_would_be_too_deep_refuse_the_whole(self) -> None:
        form = kept(subtasks=(HIGH,), subtask_titles="Find it")
        deep = use(parent_id=NODES[3])

        given(*HERE, *CHAIN, form).when(deep).then_refused(SubtasksTooDeep)
        given(*HERE, *CHAIN, kept()).when(deep).then(made(number=6, parent_id=NODES[3]), MARK)

    def test_what_is_asked_for_has_to_hold(self) -> None:
        days: dict[str, Any] = {"start_date": TODAY + timedelta(1), "due_date": TODAY}
        form = kept(values=StartingValues(start_in=1, due_in=3))
        given(*HERE, form).when(use(**days)).then_refused(StartsAfterDue)
        given(*HERE, kept()).when(use(labels=(BUG,))).then_refused(NotFound)
