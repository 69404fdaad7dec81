"""Stories of the commands on custom fields, and on the values that tasks have in them."""

from typing import Any
from uuid import UUID

import pytest

from commands.base import Command, NotPermitted
from commands.handler import CommandHandler
from commands.planning.field import CreateField, DeleteField, EditField, RestoreField
from commands.work.task import EditTask
from commands.work.task_create import CreateTask
from commands.work.task_move import MoveTask
from domain.base import NotFound, ProjectId
from domain.identity.plan import PLAN_LIMITS, Plan, PlanLimitReached
from domain.planning.field import (
    FieldCreated,
    FieldDeleted,
    FieldKeyTaken,
    FieldNameTaken,
    FieldNotInUse,
    FieldOptionsChanged,
    FieldRenamed,
    FieldRestored,
    Option,
    OptionRule,
    stream_of_field,
)
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import (
    ProjectArchived,
    ProjectCreated,
    ProjectDeleted,
    ProjectVisibilityChanged,
    Visibility,
)
from domain.work.task.custom_field import (
    FieldType,
    FieldValueNotValid,
    TaskFieldSet,
    UnknownField,
)
from domain.work.task.errors import CannotSeeProject
from eventstore.memory import MemoryStore
from tests.commands.acme import (
    ACCOUNTS,
    CHILD,
    FOREIGN_PROJECT,
    HERE,
    OPS,
    STRANGERS,
    task,
)
from tests.domain.spec import ANA, BEN, CLEO, DAN, ENG, NOW, OTHER, TASK
from tests.spec import context, given, on, opened, record

SIZE = stream_of_field(ENG, "size")
SMALL, LARGE = Option("s", "Small"), Option("l", "Large")


def made(
    key: str = "size", name: str = "Size", kind: FieldType = FieldType.SELECT, **about: Any
) -> FieldCreated:
    options = (SMALL, LARGE) if kind in (FieldType.SELECT, FieldType.MULTI_SELECT) else ()
    details: dict[str, Any] = {
        "project_id": ENG,
        "options": tuple(OptionRule(key=one.key) for one in options),
        "option_names": "\n".join(one.name for one in options) or None,
        "created_by": ANA,
        "created_at": NOW,
    }
    return FieldCreated(key=key, name=name, kind=kind, **(details | about))


def create(key: str = "size", name: str = "Size", project: ProjectId = ENG) -> CreateField:
    return CreateField(
        project_id=project, key=key, name=name, kind=FieldType.SELECT, options=(SMALL, LARGE)
    )


KNOWN = (*HERE, on(SIZE, made()))
GONE = on(SIZE, FieldDeleted(project_id=ENG))
OTHER_PROJECT = on(OPS, ProjectCreated(key="OPS", name="Other", created_by=ANA))


def in_ops(key: str = "size", name: str = "Size") -> Any:
    return on(stream_of_field(OPS, key), made(key, name, project_id=OPS))


class TestCreateField:
    def test_managers_create_fields_and_members_do_not(self) -> None:
        given(*HERE).when(create()).then(on(SIZE, made()))
        given(*HERE).when(create(), by=BEN).then(on(SIZE, made(created_by=BEN)))
        given(*HERE).when(create(), by=CLEO).then_refused(NotPermitted)

    def test_a_key_is_used_once_in_a_project_even_by_a_field_in_the_trash(self) -> None:
        given(*KNOWN).when(create(name="Other")).then_refused(FieldKeyTaken, key="size")
        given(*KNOWN, GONE).when(create(name="Other")).then_refused(FieldKeyTaken)
        given(*HERE, OTHER_PROJECT, in_ops()).when(create()).then(made())

    @pytest.mark.parametrize("name", ["Size", "sIZE", " size"])
    def test_a_name_is_given_once_whatever_its_case(self, name: str) -> None:
        given(*KNOWN).when(create("extent", name)).then_refused(FieldNameTaken, name=name)
        given(*KNOWN, GONE).when(create("extent", name)).then(made("extent", name))

    def test_a_plan_limits_the_fields_of_an_organization(self) -> None:
        limit = PLAN_LIMITS[Plan.FREE].custom_fields
        assert limit is not None
        many = [on(stream_of_field(ENG, f"f{n}"), made(f"f{n}", f"F{n}")) for n in range(limit)]
        given(*HERE, *many).when(create()).then_refused(PlanLimitReached, what="custom_fields")
        gone = on(stream_of_field(ENG, "f0"), FieldDeleted(project_id=ENG))
        given(*HERE, *many, gone).when(create()).then(made())
        back = RestoreField(field_id=stream_of_field(ENG, "f0"))
        given(*HERE, *many, gone, on(SIZE, made())).when(back).then_refused(PlanLimitReached)

    def test_no_project_of_another_organization_gets_a_field(self) -> None:
        given(*HERE, *STRANGERS).when(create(project=FOREIGN_PROJECT)).then_refused(NotFound)


class TestEditField:
    def test_an_edit_records_one_event_per_change(self) -> None:
        asked = EditField(field_id=SIZE, name="Extent", options=(LARGE,))
        given(*KNOWN).when(asked, by=BEN).then(
            FieldRenamed(project_id=ENG, from_="Size", to="Extent"),
            FieldOptionsChanged(
                project_id=ENG,
                options=(OptionRule(key="l"), OptionRule(key="s", retired=True)),
                option_names="Large\nSmall",
            ),
        )

    def test_a_new_name_must_be_free_and_frees_the_old_one(self) -> None:
        other = on(stream_of_field(ENG, "other"), made("other", "Other"))
        asked = EditField(field_id=SIZE, name="OTHER")
        given(*KNOWN, other).when(asked).then_refused(FieldNameTaken)
        renamed = on(SIZE, FieldRenamed(project_id=ENG, from_="Size", to="Extent"))
        given(*KNOWN, renamed).when(create("new")).then(made("new"))
        again = FieldRenamed(project_id=ENG, from_="Size", to="SIZE")
        given(*KNOWN).when(EditField(field_id=SIZE, name="SIZE")).then(again)


class TestDeleteAndRestoreField:
    def test_a_field_goes_to_the_trash_and_comes_back(self) -> None:
        back = on(SIZE, FieldRestored(project_id=ENG))
        given(*KNOWN).when(DeleteField(field_id=SIZE)).then(GONE)
        given(*KNOWN, GONE).when(RestoreField(field_id=SIZE)).then(back)
        given(*KNOWN).when(RestoreField(field_id=SIZE)).then()

    def test_a_field_does_not_come_back_while_another_has_its_name(self) -> None:
        other = on(stream_of_field(ENG, "other"), made("other", "size"))
        asked = RestoreField(field_id=SIZE)
        given(*KNOWN, GONE, other).when(asked).then_refused(FieldNameTaken)


EVERY = [
    EditField(field_id=SIZE, name="X"),
    DeleteField(field_id=SIZE),
    RestoreField(field_id=SIZE),
]


@pytest.mark.parametrize("asked", EVERY, ids=lambda asked: type(asked).__name__)
class TestEveryFieldCommand:
    def test_field_commands_find_no_missing_field(self, asked: Command) -> None:
        given(*HERE).when(asked).then_refused(NotFound)

    def test_members_do_not_change_fields(self, asked: Command) -> None:
        given(*KNOWN).when(asked, by=CLEO).then_refused(NotPermitted)
        given(*HERE).when(asked, by=CLEO).then_refused(NotPermitted)

    def test_field_commands_find_nothing_for_strangers(self, asked: Command) -> None:
        given(*KNOWN, *STRANGERS).when(asked, by=DAN, org_id=OTHER).then_refused(NotFound)

    def test_fields_go_with_their_project(self, asked: Command) -> None:
        past = (*KNOWN, GONE) if isinstance(asked, RestoreField) else KNOWN
        given(*past, on(ENG, ProjectArchived())).when(asked).then_refused(ProjectIsArchived)
        given(*past, on(ENG, ProjectDeleted())).when(asked).then_refused(NotFound)


def fill(**fields: Any) -> EditTask:
    return EditTask(task_id=TASK, fields=fields)


def filled(to: str | None, kind: FieldType = FieldType.SELECT, **about: Any) -> TaskFieldSet:
    return TaskFieldSet(key="size", kind=kind, to=to, **about)


class TestFillTask:
    def test_members_set_change_and_remove_a_value(self) -> None:
        given(*KNOWN).when(fill(size="s"), by=CLEO).then(on(TASK, filled("s")))
        past = (*KNOWN, on(TASK, filled("s")))
        given(*past).when(fill(size="l")).then(filled("l", from_="s"))
        given(*past).when(fill(size=None)).then(filled(None, from_="s"))
        given(*past).when(fill(size="s")).then()

    def test_a_new_task_has_its_values(self) -> None:
        asked = CreateTask(task_id=CHILD, project_id=ENG, title="Oil it", fields={"size": "l"})
        given(*KNOWN).when(asked).then(on(CHILD, task(2), filled("l")))

    def test_only_fields_of_the_project_have_values(self) -> None:
        given(*HERE).when(fill(size="s")).then_refused(UnknownField, key="size")
        given(*HERE, OTHER_PROJECT, in_ops()).when(fill(size="s")).then_refused(UnknownField)

    def test_a_value_has_the_type_of_its_field(self) -> None:
        given(*KNOWN).when(fill(size=3)).then_refused(FieldValueNotValid, key="size")
        given(*KNOWN).when(fill(size="xl")).then_refused(FieldValueNotValid)
        many = (*HERE, on(SIZE, made(kind=FieldType.MULTI_SELECT)))
        given(*many).when(fill(size=("l", "s"))).then(filled("l\ns", FieldType.MULTI_SELECT))
        given(*many).when(fill(size=("l", "xl"))).then_refused(FieldValueNotValid)

    def test_no_task_gets_a_value_of_a_field_in_the_trash(self) -> None:
        given(*KNOWN, GONE).when(fill(size="s")).then_refused(FieldNotInUse, key="size")
        past = (*KNOWN, on(TASK, filled("s")), GONE)
        given(*past).when(fill(size=None)).then(filled(None, from_="s"))
        given(*past, on(SIZE, FieldRestored(project_id=ENG))).when(fill(size="l")).then(
            filled("l", from_="s")
        )

    def test_no_task_gets_an_option_that_is_retired(self) -> None:
        left = FieldOptionsChanged(
            project_id=ENG,
            options=(OptionRule(key="l"), OptionRule(key="s", retired=True)),
            option_names="Large\nSmall",
        )
        given(*KNOWN, on(SIZE, left)).when(fill(size="s")).then_refused(FieldNotInUse)
        given(*KNOWN, on(SIZE, left)).when(fill(size="l")).then(filled("l"))
        given(*KNOWN, on(TASK, filled("s")), on(SIZE, left)).when(fill(size="s")).then()

    def test_a_person_in_a_field_sees_the_project(self) -> None:
        past = (*HERE, on(SIZE, made(kind=FieldType.USER)))
        value = filled(str(CLEO), FieldType.USER)
        given(*past).when(fill(size=str(CLEO))).then(value)
        given(*past, *STRANGERS).when(fill(size=str(DAN))).then_refused(NotFound)
        private = ProjectVisibilityChanged(from_=Visibility.ORGANIZATION, to=Visibility.PRIVATE)
        asked = fill(size=str(CLEO))
        given(*past, on(ENG, private)).when(asked).then_refused(CannotSeeProject)

    def test_a_task_that_moves_leaves_its_values_behind(self) -> None:
        past = (*KNOWN, OTHER_PROJECT, in_ops(), on(TASK, filled("s")))
        moved = given(*past).when(MoveTask(task_id=TASK, project_id=OPS)).recorded
        assert filled(None, from_="s") in [event for _, (event,), _ in moved]


async def test_a_process_that_does_not_know_of_a_change_yet_breaks_no_rule() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *KNOWN)
        here, there = CommandHandler(log), CommandHandler(log)
        await here.handle(fill(size="s"), context(CLEO))

        await there.handle(EditField(field_id=SIZE, options=(LARGE,)), context())
        await here.handle(fill(size="l"), context(CLEO))
        with pytest.raises(FieldNotInUse):
            await here.handle(fill(size="s"), context(CLEO))
        offered = EditField(field_id=SIZE, options=(LARGE, Option("xl", "Huge")))
        await there.handle(offered, context())
        await here.handle(fill(size="xl"), context(CLEO))
        await there.handle(DeleteField(field_id=SIZE), context())
        with pytest.raises(FieldNotInUse):
            await here.handle(fill(size="l"), context(CLEO))

        with pytest.raises(UnknownField):
            await here.handle(fill(late=1), context(CLEO))
        late = CreateField(project_id=ENG, key="late", name="Late", kind=FieldType.NUMBER)
        await there.handle(late, context())
        await here.handle(fill(late=1), context(CLEO))


def test_a_field_of_another_project_has_another_stream() -> None:
    assert len({stream_of_field(UUID(int=n), "size") for n in range(3)}) == 3
