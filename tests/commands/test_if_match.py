"""If-Match: a command is refused if the fields that it changes were changed since."""

import pytest

from commands.base import ChangedSince
from commands.handler import CommandHandler
from commands.identity.organization import EditOrganization, RestoreOrganization
from commands.work.project import ArchiveProject, HoldProject
from commands.work.task import AssignTask, EditTask
from domain.identity.organization.events import OrganizationDeleted
from domain.identity.organization.state import Organization
from domain.identity.user.events import UserProfileChanged
from domain.work.task.events import Priority
from eventstore.log import EventLog
from tests.commands.acme import ACCOUNTS, events
from tests.domain.spec import ACME, ANA, BEN, CLEO, ENG, TASK
from tests.spec import context, on, record

RETITLE = EditTask(task_id=TASK, title="New")


class TestIfMatch:
    async def test_if_match_allows_a_change_of_an_unchanged_field(
        self, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        await elsewhere.handle(EditTask(task_id=TASK, priority=Priority.HIGH), context())

        receipt = await handler.handle(RETITLE, context(if_match=1))

        assert receipt.states[TASK].version == 3

    async def test_if_match_refuses_a_change_of_a_changed_field(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        await elsewhere.handle(EditTask(task_id=TASK, title="Other"), context())

        with pytest.raises(ChangedSince) as refused:
            await handler.handle(RETITLE, context(if_match=1))

        assert refused.value.details == {"version": 2}
        assert len(await events(log)) == 2

    async def test_if_match_compares_fields_and_not_kinds_of_change(
        self, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        await elsewhere.handle(HoldProject(project_id=ENG), context())

        with pytest.raises(ChangedSince):
            await handler.handle(ArchiveProject(project_id=ENG), context(if_match=1))

    async def test_if_match_allows_a_change_of_another_part_of_the_same_field(
        self, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        await elsewhere.handle(AssignTask(task_id=TASK, user_id=BEN), context())

        assigned = await handler.handle(AssignTask(task_id=TASK, user_id=CLEO), context(if_match=1))

        assert assigned.states[TASK].state.assignees == (BEN, CLEO)

    async def test_if_match_is_about_the_target_of_a_command_alone(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await record(log, *ACCOUNTS)
        await record(log, on(ACME, OrganizationDeleted()))
        [organization] = await handler.states.all_fresh([(Organization, ACME)], ACME)
        await record(log, on(ANA, UserProfileChanged(name="Anna")))

        receipt = await handler.handle(
            RestoreOrganization(organization_id=ACME), context(if_match=organization.version)
        )

        assert receipt.states[ANA].version < organization.version
        assert receipt.position is not None

    async def test_lets_pass_a_change_that_claims_something(self, handler: CommandHandler) -> None:
        version = (await handler.states.all_fresh([(Organization, ACME)], ACME))[0].version
        moving = EditOrganization(organization_id=ACME, subdomain="acme-two")

        receipt = await handler.handle(moving, context(if_match=version))

        assert receipt.position is not None

    async def test_if_match_refuses_the_whole_command(
        self, log: EventLog, handler: CommandHandler
    ) -> None:
        await handler.handle(EditTask(task_id=TASK, title="Other"), context())
        both = EditTask(task_id=TASK, title="New", priority=Priority.LOW)

        with pytest.raises(ChangedSince):
            await handler.handle(both, context(if_match=1))

        assert len(await events(log)) == 2

    async def test_if_match_refuses_a_future_version(self, handler: CommandHandler) -> None:
        with pytest.raises(ChangedSince):
            await handler.handle(RETITLE, context(if_match=2))

    async def test_if_match_allows_a_change_without_effect(self, handler: CommandHandler) -> None:
        await handler.handle(RETITLE, context())

        receipt = await handler.handle(RETITLE, context(if_match=1))

        assert receipt.position is None
