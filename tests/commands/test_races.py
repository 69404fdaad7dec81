"""Races that one of two processes loses, whose memory is older than what the other recorded.

The second process has read everything before, so that it decides on what was true then. Only the
append can still refuse it.
"""

from datetime import timedelta
from typing import Any

import pytest

from commands.base import Command, Context
from commands.handler import CommandHandler
from commands.identity.invitation import AcceptInvitation, InviteMember
from commands.identity.organization import EditMember, RemoveMember
from commands.identity.user import PASSWORD, ResetPassword
from commands.work.project import CreateProject
from domain.base import PLATFORM, DomainError, ProjectId, UserId
from domain.identity.organization.membership import (
    InvitationIsOver,
    LastAdmin,
    MemberJoined,
    MemberRoleChanged,
    Role,
)
from domain.identity.organization.state import Organization
from domain.identity.plan import PlanLimitReached
from domain.identity.user.errors import ResetIsOver
from domain.identity.user.events import PasswordResetRequested
from domain.identity.user.state import User
from eventstore.identifiers import new_id
from eventstore.log import EventLog
from tests.commands.acme import ACCOUNTS
from tests.domain.acme import invitation
from tests.domain.spec import ACME, ANA, BEN, DAN, INVITATION, NOW
from tests.spec import context, on, record


async def remembered(handler: CommandHandler) -> CommandHandler:
    """Return *handler* once it has Acme and the accounts in memory."""
    await handler.states.fresh(Organization, ACME, ACME)
    for person in (ANA, BEN, DAN):
        await handler.states.fresh(User, person)
    return handler


async def refusal(handler: CommandHandler, command: Command, asked: Context) -> DomainError | None:
    """Return why *command* is refused, None if it is not."""
    try:
        await handler.handle(command, asked)
    except DomainError as refused:
        return refused
    return None


def new_project(key: str) -> CreateProject:
    return CreateProject(project_id=ProjectId(new_id()), key=key, name=key)


@pytest.fixture
async def late(log: EventLog, elsewhere: CommandHandler) -> CommandHandler:
    """Give a second process that has read everything, before anything happens."""
    open_one = invitation()
    reset = PasswordResetRequested(
        reset_id=new_id(), token_hash="r" * 64, expires_at=NOW + timedelta(minutes=30)
    )
    await record(log, *ACCOUNTS, on(ACME, open_one))
    await record(log, on(ANA, reset))
    return await remembered(elsewhere)


async def test_who_was_demoted_acts_no_more_through_a_process_that_has_not_heard(
    log: EventLog, handler: CommandHandler, late: CommandHandler
) -> None:
    demote = EditMember(organization_id=ACME, user_id=BEN, role=Role.MEMBER)
    await handler.handle(demote, context())
    last = await log.last_position()

    refused = await refusal(late, new_project("LATE"), context(BEN))

    assert refused is not None
    assert refused.code == "not_permitted"
    assert await log.last_position() == last


async def test_an_invitation_that_was_accepted_is_over_for_a_process_that_has_not_heard(
    log: EventLog, handler: CommandHandler, late: CommandHandler
) -> None:
    def accepting(token: str) -> AcceptInvitation:
        return AcceptInvitation(
            organization_id=ACME, invitation_id=INVITATION, token_hash=token, user_id=DAN
        )

    asked = context(DAN, org_id=ACME)
    accept = accepting(invitation().token_hash)
    await handler.handle(accept, asked)
    await handler.handle(RemoveMember(organization_id=ACME, user_id=DAN), context())

    assert isinstance(await refusal(late, accept, asked), InvitationIsOver)
    stream = await log.stream(ACME, ACME)
    joined = [one.event for one in stream if isinstance(one.event, MemberJoined)]
    assert [event.user_id for event in joined].count(DAN) == 1


async def test_a_reset_token_that_was_used_is_over_for_a_process_that_has_not_heard(
    log: EventLog, handler: CommandHandler, late: CommandHandler
) -> None:
    def choosing(password: bytes) -> ResetPassword:
        return ResetPassword(user_id=ANA, token_hash="r" * 64, password_hash=password)

    asked = context(ANA, org_id=None)
    await handler.handle(choosing(b"first"), asked)

    assert isinstance(await refusal(late, choosing(b"second"), asked), ResetIsOver)
    assert await log.secret(ANA, PLATFORM, PASSWORD) == b"first"


async def test_the_plan_has_no_place_left_for_a_process_that_has_not_heard(
    log: EventLog, handler: CommandHandler, late: CommandHandler
) -> None:
    for number in range(4):  # one is there, and FREE has five
        await handler.handle(new_project(f"P{number}"), context())
    last = await log.last_position()

    assert isinstance(await refusal(late, new_project("LATE"), context()), PlanLimitReached)
    assert await log.last_position() == last


async def test_the_last_invitation_that_fits_goes_to_one_of_two_processes(
    log: EventLog, handler: CommandHandler, late: CommandHandler
) -> None:
    def inviting(who: str) -> InviteMember:
        return InviteMember(
            organization_id=ACME,
            invitation_id=new_id(),
            email=f"{who}@example.com",
            role=Role.MEMBER,
            token_hash="i" * 64,
            expires_at=NOW + timedelta(days=7),
            mailed=True,
        )

    for number in range(6):  # three members and an invitation are there, and FREE has ten places
        await handler.handle(inviting(f"p{number}"), context())
    last = await log.last_position()

    assert isinstance(await refusal(late, inviting("late"), context()), PlanLimitReached)
    assert await log.last_position() == last


async def test_the_other_admin_was_demoted_so_the_last_one_stays(
    log: EventLog, handler: CommandHandler, late: CommandHandler
) -> None:
    promoted = MemberRoleChanged(user_id=BEN, from_=Role.MANAGER, to=Role.ADMIN)
    await record(log, on(ACME, promoted))
    await remembered(late)

    async def demoting(who: UserId, by: UserId, process: CommandHandler) -> Any:
        command = EditMember(organization_id=ACME, user_id=who, role=Role.MEMBER)
        return await refusal(process, command, context(by))

    assert await demoting(ANA, ANA, handler) is None
    assert isinstance(await demoting(BEN, BEN, late), LastAdmin)
