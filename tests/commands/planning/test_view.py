"""Stories of the commands on saved views."""

from typing import Any
from uuid import UUID

import pytest

from commands.base import Command, NotPermitted
from commands.planning.view import CreateView, DeleteView, EditView, RestoreView
from domain.base import LabelId, NotFound, ProjectId, TaskId, ViewId
from domain.planning.criteria import Criteria
from domain.planning.view import (
    ViewColumnsChanged,
    ViewCreated,
    ViewDeleted,
    ViewFiltered,
    ViewNameTaken,
    ViewOfAnother,
    ViewRenamed,
    ViewRestored,
    ViewShared,
    ViewSorted,
    ViewUnshared,
)
from domain.work.label import LabelCreated
from domain.work.project.events import ProjectDeleted
from tests.commands.acme import FOREIGN_PROJECT, HERE, OPS, STRANGERS, task
from tests.commands.planning.plans import BETA, LATE, ONE, OTHER_PROJECT, PLANNED, view
from tests.domain.spec import ANA, BEN, CLEO, DAN, ENG, NOW, OTHER, TASK
from tests.spec import given, on

NEW = ViewId(UUID(int=87))
BUG = LabelId(UUID(int=88))
SAVED = (*HERE, on(LATE, view()))
GONE = on(LATE, ViewDeleted(project_id=ENG, owner=ANA))


def create(name: str = "New", project: ProjectId | None = ENG, **about: Any) -> CreateView:
    return CreateView(view_id=NEW, project_id=project, name=name, **about)


def label(project: ProjectId | None) -> LabelCreated:
    return LabelCreated(
        name="Bug", color="#ff0000", project_id=project, created_by=ANA, created_at=NOW
    )


class TestCreateView:
    def test_every_member_saves_views_of_a_project_or_of_all(self) -> None:
        for project in (ENG, None):
            given(*HERE).when(create(project=project), by=CLEO).then(
                on(NEW, view("New", project, CLEO, shared=False))
            )

    def test_a_view_keeps_its_filters_its_order_and_its_columns(self) -> None:
        asked = create(
            criteria=Criteria(overdue=True), values=("size:s",), sort="due", columns=("title",)
        )
        given(*HERE).when(asked).then(
            ViewCreated(
                project_id=ENG,
                name="New",
                criteria=Criteria(overdue=True),
                values="size:s",
                sort="due",
                columns=("title",),
                created_by=ANA,
                created_at=NOW,
            )
        )

    def test_the_name_of_a_shared_view_is_given_once_in_a_project(self) -> None:
        taken = create("LATE", shared=True)
        given(*SAVED).when(taken, by=CLEO).then_refused(ViewNameTaken, name="LATE")
        given(*SAVED, GONE).when(taken).then(view("LATE"))
        elsewhere = create("Late", OPS, shared=True)
        given(*SAVED, OTHER_PROJECT).when(elsewhere).then(view("Late", OPS))
        everywhere = create("Late", None, shared=True)
        given(*SAVED).when(everywhere).then(view("Late", None))

    def test_the_names_of_private_views_are_given_once_to_each_owner(self) -> None:
        own = on(LATE, view(by=CLEO, shared=False))
        given(*HERE, own).when(create("late"), by=CLEO).then_refused(ViewNameTaken)
        given(*HERE, own).when(create("late")).then(view("late", shared=False))
        given(*SAVED).when(create("Late"), by=CLEO).then(view("Late", by=CLEO, shared=False))

    def test_creating_it_again_records_nothing(self) -> None:
        given(*HERE, on(NEW, view("New"))).when(create()).then()

    def test_no_project_of_another_organization_gets_a_view(self) -> None:
        given(*HERE, *STRANGERS).when(create(project=FOREIGN_PROJECT)).then_refused(NotFound)

    def test_no_deleted_project_gets_a_view(self) -> None:
        given(*HERE, on(ENG, ProjectDeleted())).when(create()).then_refused(NotFound)

    @pytest.mark.parametrize(
        "criteria",
        [
            Criteria(cycle=(str(ONE),)),
            Criteria(milestone=(str(BETA),)),
            Criteria(parent=(str(TASK),)),
            Criteria(label=(str(BUG),)),
        ],
    )
    def test_a_view_names_only_what_is_of_its_project(self, criteria: Criteria) -> None:
        past = (*PLANNED, OTHER_PROJECT, on(TASK, task()), on(BUG, label(ENG)))
        given(*past).when(create(criteria=criteria)).then(
            ViewCreated(
                project_id=ENG, name="New", criteria=criteria, created_by=ANA, created_at=NOW
            )
        )
        for project in (OPS, None):
            asked = create(project=project, criteria=criteria)
            given(*past).when(asked).then_refused(NotFound)

    def test_a_view_names_nothing_that_does_not_exist(self) -> None:
        for criteria in (
            Criteria(cycle=(str(ONE),)),
            Criteria(milestone=(str(BETA),)),
            Criteria(parent=(str(TaskId(UUID(int=999))),)),
            Criteria(label=(str(BUG),)),
        ):
            for project in (ENG, None):
                asked = create(project=project, criteria=criteria)
                given(*HERE).when(asked).then_refused(NotFound)

    def test_any_view_names_labels_of_the_organization(self) -> None:
        criteria = Criteria(label=(str(BUG), "none"), cycle=("none",), parent=("none",))
        given(*HERE, on(BUG, label(None))).when(create(project=None, criteria=criteria)).then(
            ViewCreated(name="New", criteria=criteria, created_by=ANA, created_at=NOW)
        )


class TestEditView:
    def test_an_edit_records_one_event_per_change(self) -> None:
        asked = EditView(
            view_id=LATE,
            name="Later",
            shared=False,
            criteria=Criteria(blocked=True),
            values=("size:s",),
            sort="-due",
            columns=("title", "field:size"),
        )
        given(*SAVED).when(asked).then(
            ViewRenamed(from_="Late", to="Later"),
            ViewUnshared(),
            ViewFiltered(criteria=Criteria(blocked=True), values="size:s"),
            ViewSorted(from_="newest", to="-due"),
            ViewColumnsChanged(columns=("title", "field:size")),
        )

    def test_managers_change_shared_views_of_others_but_do_not_hide_them(self) -> None:
        past = (*HERE, on(LATE, view(by=CLEO)))
        given(*past).when(EditView(view_id=LATE, sort="due"), by=BEN).then(
            ViewSorted(from_="newest", to="due")
        )
        given(*past).when(EditView(view_id=LATE, shared=False), by=BEN).then_refused(ViewOfAnother)

    def test_sharing_a_view_takes_its_name_among_shared_ones(self) -> None:
        own = on(NEW, view("late", by=CLEO, shared=False))
        asked = EditView(view_id=NEW, shared=True)
        given(*SAVED, own).when(asked, by=CLEO).then_refused(ViewNameTaken)
        given(*HERE, own).when(asked, by=CLEO).then(ViewShared())

    def test_a_changed_filter_names_only_what_is_of_the_project(self) -> None:
        asked = EditView(view_id=LATE, criteria=Criteria(cycle=(str(ONE),)))
        given(*SAVED).when(asked).then_refused(NotFound)


class TestDeleteAndRestoreView:
    def test_a_view_goes_to_the_trash_and_comes_back(self) -> None:
        given(*SAVED).when(DeleteView(view_id=LATE)).then(GONE)
        given(*SAVED, GONE).when(RestoreView(view_id=LATE)).then(on(LATE, ViewRestored()))
        given(*SAVED).when(RestoreView(view_id=LATE)).then()

    def test_a_view_does_not_come_back_while_another_has_its_name(self) -> None:
        other = on(NEW, view("late"))
        given(*SAVED, GONE, other).when(RestoreView(view_id=LATE)).then_refused(ViewNameTaken)


EVERY = [EditView(view_id=LATE, name="X"), DeleteView(view_id=LATE), RestoreView(view_id=LATE)]


@pytest.mark.parametrize("asked", EVERY, ids=lambda asked: type(asked).__name__)
class TestEveryViewCommand:
    def test_view_commands_find_no_missing_view(self, asked: Command) -> None:
        given(*HERE).when(asked).then_refused(NotFound)

    def test_members_do_not_change_shared_views_of_others(self, asked: Command) -> None:
        given(*SAVED).when(asked, by=CLEO).then_refused(NotPermitted)

    def test_nobody_finds_private_views_of_others(self, asked: Command) -> None:
        own = on(LATE, view(by=CLEO, shared=False))
        given(*HERE, own).when(asked, by=ANA).then_refused(NotFound)

    def test_view_commands_find_nothing_for_strangers(self, asked: Command) -> None:
        given(*SAVED, *STRANGERS).when(asked, by=DAN, org_id=OTHER).then_refused(NotFound)

    def test_views_go_with_their_project(self, asked: Command) -> None:
        past = (*SAVED, GONE) if isinstance(asked, RestoreView) else SAVED
        given(*past, on(ENG, ProjectDeleted())).when(asked).then_refused(NotFound)
