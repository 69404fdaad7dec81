"""A command records what it declares: nothing else in any story, and all of it in some.

Runs after the stories, whose records it looks at.
"""

from pathlib import Path

import pytest

from commands.base import Command
from domain.catalog import tag_of
from tests.spec import RECORDED, SPREAD
from tools.discover import leaves

TWO_PARTITIONS = {
    "CreateApiKey": "a key, whose public id is unique everywhere and leads to its organization",
    "RegisterUser": "an account and its organization; address and subdomain are unique everywhere",
    "RegisterInvited": "an account and its membership",
    "AcceptInvitation": "a membership, and in which organization the person works",
    "CreateOrganization": "an organization, its subdomain, and where the person works",
    "ImportUser": "an account and its membership",
    "LogInBySso": "an account, its session and its membership",
    "LogIn": "a session, and its organization's record of who came",
    "RecordFailedLogin": "the account, and its organization's record",
    "EraseUser": "an account and all of its memberships: the last ADMIN rule holds in each",
    "ForkOrganization": "a new organization, its subdomain, and the inboxes of its members",
    "AbandonFork": "an organization, whose subdomain is free for others",
    "EditOrganization": "its subdomain, which is unique everywhere",
    "SetRecurrence": "a task; what is due, of any organization, is found by one read",
    "StopRecurrence": "as SetRecurrence",
    "RepeatTask": "as SetRecurrence",
    "SkipOccurrence": "as SetRecurrence",
    "UndoChanges": "as what it runs, such as StopRecurrence",
    "PurgeOrganization": "an organization, whose subdomain is free for others",
    "RestoreOrganization": "an organization, and where the person works",
}
"""The commands that write for an organization and for the platform, and what for."""

STORIES = {path for path in Path(__file__).parent.rglob("test_*.py") if path != Path(__file__)}


def test_which_commands_write_two_partitions(request: pytest.FixtureRequest) -> None:
    """Each of them locks two partitions, so a new one needs a reason."""
    if not {item.path for item in request.session.items} >= STORIES:
        pytest.skip("only when all stories of commands run")

    assert {command.__name__ for command in SPREAD} == TWO_PARTITIONS.keys()


@pytest.mark.parametrize("command", leaves(Command, "commands"))
def test_a_command_records_exactly_what_it_declares(
    command: type[Command], request: pytest.FixtureRequest
) -> None:
    if not {item.path for item in request.session.items} >= STORIES:
        pytest.skip("only when all stories of commands run")

    assert sorted(map(tag_of, RECORDED[command])) == sorted(map(tag_of, command.records))
