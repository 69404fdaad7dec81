"""What a key is worth at the moment at which it is presented."""

import pytest

from commands.handler import CommandHandler
from commands.identity.organization import EditMember, RemoveMember
from commands.key_check import CheckedKey, KeyCheck
from domain.identity.api_key.errors import KeyHasExpired, KeyWasRevoked, KeyWithoutOwner
from domain.identity.api_key.events import ApiKeyRevoked
from domain.identity.api_key.state import stream_of_key
from domain.identity.organization.membership import Role
from eventstore.log import EventLog
from security.api_keys import NewKey
from tests.commands.acme import ACCOUNTS
from tests.commands.people import KEYS, LIFETIME, creating, presented
from tests.domain.spec import ACME, BEN, NOW
from tests.spec import context, on, record

ENDS = NOW + LIFETIME


@pytest.fixture
async def key(log: EventLog, handler: CommandHandler) -> NewKey:
    """Let Ben, who is a MANAGER, have a key."""
    await record(log, *ACCOUNTS)
    made = KEYS.new()
    await handler.handle(creating(made, ("project:create",), ENDS), context(BEN))
    return made


@pytest.fixture
def check(log: EventLog, elsewhere: CommandHandler) -> KeyCheck:
    return KeyCheck(elsewhere.states, log)


async def checked(check: KeyCheck, text: str) -> CheckedKey | None:
    """Present a key twice: when it has to be read, and when it is remembered."""
    read = await check.from_log(presented(text), None, NOW, {})
    assert check.from_memory(presented(text), None, NOW) == read
    return read


async def test_a_key_is_its_creators_as_they_are_now(
    handler: CommandHandler, check: KeyCheck, key: NewKey
) -> None:
    found = await checked(check, key.text)
    assert found is not None
    assert (found.user_id, found.role, found.org_id) == (BEN, Role.MANAGER, ACME)

    lower = EditMember(organization_id=ACME, user_id=BEN, role=Role.MEMBER)
    await handler.handle(lower, context())
    again = await checked(check, key.text)
    assert again is not None
    assert again.role is Role.MEMBER

    await handler.handle(RemoveMember(organization_id=ACME, user_id=BEN), context())
    with pytest.raises(KeyWithoutOwner):
        await check.from_log(presented(key.text), None, NOW, {})


async def test_another_secret_of_a_known_key_is_no_key_and_learns_nothing(
    log: EventLog, check: KeyCheck, key: NewKey
) -> None:
    other = presented(KEYS.new(key.key_id).text)
    await record(log, on(stream_of_key(key.key_id), ApiKeyRevoked(), org_id=ACME))

    assert await check.from_log(other, None, NOW, {}) is None
    assert check.from_memory(other, None, NOW) is None
    assert await check.from_log(presented(KEYS.new().text), None, NOW, {}) is None
    with pytest.raises(KeyWasRevoked):
        await check.from_log(presented(key.text), None, NOW, {})


async def test_a_key_ends_when_it_was_said_to(check: KeyCheck, key: NewKey) -> None:
    last = ENDS - LIFETIME / 1_000
    assert await check.from_log(presented(key.text), None, last, {}) is not None
    assert check.from_memory(presented(key.text), None, ENDS) is None
    with pytest.raises(KeyHasExpired):
        await check.from_log(presented(key.text), None, ENDS, {})
