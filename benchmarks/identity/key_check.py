"""What does the check of an API key cost a request, and what that of an access token?"""

import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import uvloop

from api.http.caller import Access
from benchmarks.harness.calm import PYTHON_SPEED, python_speed
from benchmarks.harness.figures import Figure, interleaved
from benchmarks.harness.seeding import IP, Office, open_log
from benchmarks.harness.workplace import workplace
from commands.identity.api_key import CreateApiKey
from commands.identity.session import LogIn
from commands.key_check import KeyCheck
from domain.base import SessionId
from eventstore.identifiers import new_id
from eventstore.sqlite import SqliteStore
from runtime.process import spare_the_collector
from security.api_keys import ApiKeys
from security.tokens import AccessTokens, KeyRing

CHECKS = 2_000
ROUNDS = 9
KEY_CHECK_US = 60
NETWORK = "203.0.113.0/24"
_DAY = timedelta(days=1)


def measure() -> list[Figure]:
    """Return CPU microseconds of one check by a process that has seen the caller before."""
    with workplace() as directory:
        return uvloop.run(_measure(SqliteStore(str(directory / "events.db"))))


async def _measure(store: SqliteStore) -> list[Figure]:
    log = await open_log(store)
    office = Office(log)
    await office.furnish()
    checks = _Checks(office)
    await checks.prepare()
    spare_the_collector()  # as the API does
    cells: dict[str, Callable[[], float]] = {
        "key": lambda: _each(checks.key),
        "token": lambda: _each(checks.token),
        "machine": python_speed,
    }
    measured = interleaved(ROUNDS, cells)
    await log.close()
    return [
        Figure(
            what="check an API key with a network, its creator and their role",
            unit="µs CPU",
            rounds=measured["key"],
            target=KEY_CHECK_US,
            at_least=False,
        ),
        Figure(
            what="check an access token, its session and the role",
            unit="µs CPU",
            rounds=measured["token"],
        ),
        Figure(what=PYTHON_SPEED, unit="million/s CPU", rounds=measured["machine"]),
    ]


class _Checks:
    """A key and a token of the same person, checked as at the beginning of a command."""

    def __init__(self, office: Office) -> None:
        self._office, states = office, office.commands.states
        self._keys = ApiKeys(b"pepper")
        ring = KeyRing("a secret of a benchmark, and of nothing else")
        self._tokens = AccessTokens(ring, issuer="benchmark", audience="benchmark")
        self._access = Access(states, KeyCheck(states, office.log))
        self._key = self._token = ""

    async def prepare(self) -> None:
        """Log in, create a key, and let the process see both once."""
        office, session, now = self._office, SessionId(new_id()), datetime.now(UTC)
        made = self._keys.new()
        login = LogIn(session_id=session, user_id=office.user_id, nonce="n", credentials=0)
        await office.do(login)
        await office.do(
            CreateApiKey(
                key_id=made.key_id,
                hash=made.hash,
                last4=made.last4,
                name="CI",
                scopes=("task:create", "task:read"),
                networks=(NETWORK,),
                expires_at=now + _DAY,
            )
        )
        self._key = made.text
        self._token = self._tokens.issue(office.user_id, session, office.org_id, now)
        presented = self._keys.read(made.text)
        assert presented is not None
        await self._access.check_key(presented, IP, now, {})
        await self._access.check(self._tokens.verify(self._token, now), now, {})

    async def key(self) -> UUID:
        """Check the key from its text on."""
        presented = self._keys.read(self._key)
        assert presented is not None
        caller = await self._access.check_key(presented, IP, datetime.now(UTC), None)
        return caller.user_id

    async def token(self) -> UUID:
        """Check the token from its text on."""
        now = datetime.now(UTC)
        return (await self._access.check(self._tokens.verify(self._token, now), now, None)).user_id


def _each(check: Callable[[], Coroutine[Any, Any, UUID]]) -> float:
    """Return the microseconds of one check, which waits for nothing."""
    began = time.thread_time_ns()
    for _ in range(CHECKS):
        try:
            check().send(None)
        except StopIteration:
            continue
        raise AssertionError("a check of what is in memory has waited")
    return (time.thread_time_ns() - began) / CHECKS / 1_000
