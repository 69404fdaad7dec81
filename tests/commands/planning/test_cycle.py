"""Stories of the commands on cycles."""

import asyncio
from datetime import timedelta

import pytest

from commands.base import Command, NotPermitted
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.planning.cycle import CreateCycle, DeleteCycle, EditCycle, RestoreCycle
from domain.base import CycleId, DomainError, NotFound, ProjectId
from domain.planning.cycle import (
    CycleDates,
    CycleDeleted,
    CycleNameTaken,
    CycleNotValid,
    CycleRenamed,
    CycleRescheduled,
    CycleRestored,
    CyclesOverlap,
)
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.events import ProjectArchived, ProjectDeleted
from eventstore.identifiers import new_id
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, FOREIGN_PROJECT, HERE, OPS, STRANGERS
from tests.commands.planning.plans import FIRST, ONE, OTHER_PROJECT, PLANNED, TWO, cycle, days
from tests.domain.spec import BEN, CLEO, DAN, ENG, OTHER
from tests.spec import context, given, on, opened, record

GONE = on(ONE, CycleDeleted(project_id=ENG))


def create(
    dates: CycleDates, name: str = "Two", project: ProjectId = ENG, cycle_id: CycleId = TWO
) -> CreateCycle:
    return CreateCycle(
        cycle_id=cycle_id,
        project_id=project,
        name=name,
        starts_on=dates.starts_on,
        ends_on=dates.ends_on,
    )


NEXT = days(14, 27)


class TestCreateCycle:
    def test_managers_plan_cycles_and_members_do_not(self) -> None:
        given(*PLANNED).when(create(NEXT)).then(on(TWO, cycle("Two", NEXT)))
        given(*PLANNED).when(create(NEXT), by=CLEO).then_refused(NotPermitted)

    @pytest.mark.parametrize(("first", "last"), [(-3, 0), (13, 20), (3, 4), (-5, 40)])
    def test_no_day_is_in_two_cycles_of_a_project(self, first: int, last: int) -> None:
        taken = max(days(first, last).starts_on, FIRST)
        overlap = given(*PLANNED).when(create(days(first, last)))
        overlap.then_refused(CyclesOverlap, day=taken)

    def test_cycles_of_other_projects_share_days(self) -> None:
        made = cycle("Two", days(0, 13), OPS)
        given(*PLANNED, OTHER_PROJECT).when(create(days(0, 13), project=OPS)).then(made)

    def test_days_and_name_of_a_cycle_in_the_trash_are_free(self) -> None:
        given(*PLANNED, GONE).when(create(days(0, 13), "one")).then(cycle("one", days(0, 13)))

    def test_a_name_is_given_once_whatever_its_case(self) -> None:
        given(*PLANNED).when(create(NEXT, "oNE")).then_refused(CycleNameTaken, name="oNE")

    def test_a_cycle_does_not_end_before_it_begins(self) -> None:
        given(*HERE).when(create(days(1, 0))).then_refused(CycleNotValid)

    def test_creating_it_again_records_nothing(self) -> None:
        given(*PLANNED, on(TWO, cycle("Two", NEXT))).when(create(NEXT)).then()

    def test_no_project_of_another_organization_gets_a_cycle(self) -> None:
        asked = create(NEXT, project=FOREIGN_PROJECT)
        given(*HERE, *STRANGERS).when(asked).then_refused(NotFound)


class TestEditCycle:
    def test_an_edit_records_one_event_per_change(self) -> None:
        to = days(3, 13)
        asked = EditCycle(cycle_id=ONE, name="First", starts_on=to.starts_on)
        given(*PLANNED).when(asked, by=BEN).then(
            CycleRenamed(project_id=ENG, from_="One", to="First"),
            CycleRescheduled(project_id=ENG, from_=days(0, 13), to=to),
        )

    def test_a_cycle_gets_no_day_of_another_one_and_frees_those_that_it_leaves(self) -> None:
        two = on(TWO, cycle("Two", NEXT))
        longer = EditCycle(cycle_id=ONE, ends_on=NEXT.starts_on)
        given(*PLANNED, two).when(longer).then_refused(CyclesOverlap, day=NEXT.starts_on)
        shorter = on(TWO, CycleRescheduled(project_id=ENG, from_=NEXT, to=days(15, 27)))
        given(*PLANNED, two, shorter).when(longer).then(
            CycleRescheduled(project_id=ENG, from_=days(0, 13), to=days(0, 14))
        )

    def test_a_cycle_ends_no_earlier_than_it_begins(self) -> None:
        asked = EditCycle(cycle_id=ONE, ends_on=FIRST - timedelta(days=1))
        given(*PLANNED).when(asked).then_refused(CycleNotValid)


class TestDeleteAndRestoreCycle:
    def test_a_cycle_goes_to_the_trash_and_comes_back(self) -> None:
        back = on(ONE, CycleRestored(project_id=ENG))
        given(*PLANNED).when(DeleteCycle(cycle_id=ONE)).then(GONE)
        given(*PLANNED, GONE).when(RestoreCycle(cycle_id=ONE)).then(back)
        given(*PLANNED).when(RestoreCycle(cycle_id=ONE)).then()

    def test_a_cycle_does_not_come_back_while_another_has_its_days_or_its_name(self) -> None:
        asked = RestoreCycle(cycle_id=ONE)
        days_gone = on(TWO, cycle("Two", days(13, 20)))
        given(*PLANNED, GONE, days_gone).when(asked).then_refused(CyclesOverlap)
        name_gone = on(TWO, cycle("one", NEXT))
        given(*PLANNED, GONE, name_gone).when(asked).then_refused(CycleNameTaken)


EVERY = [
    EditCycle(cycle_id=ONE, name="X"),
    DeleteCycle(cycle_id=ONE),
    RestoreCycle(cycle_id=ONE),
]


@pytest.mark.parametrize("asked", EVERY, ids=lambda asked: type(asked).__name__)
class TestEveryCycleCommand:
    def test_cycle_commands_find_no_missing_cycle(self, asked: Command) -> None:
        given(*HERE).when(asked).then_refused(NotFound)

    def test_members_do_not_change_cycles(self, asked: Command) -> None:
        given(*PLANNED).when(asked, by=CLEO).then_refused(NotPermitted)

    def test_cycle_commands_find_nothing_for_strangers(self, asked: Command) -> None:
        given(*PLANNED, *STRANGERS).when(asked, by=DAN, org_id=OTHER).then_refused(NotFound)

    def test_cycles_go_with_their_project(self, asked: Command) -> None:
        past = (*PLANNED, GONE) if isinstance(asked, RestoreCycle) else PLANNED
        given(*past, on(ENG, ProjectArchived())).when(asked).then_refused(ProjectIsArchived)
        given(*past, on(ENG, ProjectDeleted())).when(asked).then_refused(NotFound)


async def test_of_cycles_planned_at_once_on_the_same_days_one_is_there() -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        handlers = [CommandHandler(log) for _ in range(3)]

        async def plan(number: int) -> bool:
            asked = create(days(number, number + 7), f"C{number}", cycle_id=CycleId(new_id()))
            try:
                await handlers[number % 3].handle(asked, context())
            except DomainError as refused:
                assert isinstance(refused, CyclesOverlap)  # noqa: PT017 - which refusal matters
                return False
            return True

        planned = await asyncio.gather(*(plan(number) for number in range(8)))

        assert sum(planned) == 1
        assert [finding async for finding in lint_log(log)] == []
