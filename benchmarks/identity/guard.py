"""Does the check of a caller cost more if people belong to 20 organizations rather than to one?

The person with 20 has a session in each, and the sessions take turns.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import uvloop
from msgspec.structs import replace

from api.http.caller import Access
from benchmarks.harness.calm import PYTHON_SPEED, python_speed
from benchmarks.harness.figures import Figure, interleaved, ratios
from benchmarks.harness.seeding import Office, open_log
from benchmarks.harness.workplace import workplace
from commands.identity.organization import CreateOrganization
from commands.identity.session import LogIn, SwitchOrganization
from commands.key_check import KeyCheck
from domain.base import OrgId, SessionId
from eventstore.identifiers import new_id
from eventstore.sqlite import SqliteStore
from runtime.process import spare_the_collector
from security.tokens import AccessTokens, KeyRing

ORGANIZATIONS = 20
CHECKS = 2_000
ROUNDS = 9
TARGET = 1.1
"""The guard looks up one session and one organization, however many there are; the rest is noise
and what 20 of everything take of the processor's cache."""
WAYS = {
    False: "from memory, as for a command",
    True: "with versions read from the log, as for a query",
}


def measure() -> list[Figure]:
    """Return CPU microseconds of a check for both people, and their ratios."""
    with workplace() as directory:
        return uvloop.run(_measure(SqliteStore(str(directory / "events.db"))))


async def _measure(store: SqliteStore) -> list[Figure]:
    log = await open_log(store)
    checks = _Checks(Office(log))
    one, many = await checks.person(1), await checks.person(ORGANIZATIONS)
    spare_the_collector()  # as the API does
    cells: dict[str, Callable[[], float]] = {"machine": python_speed}
    for fresh, way in WAYS.items():
        for tokens in (one, many):
            run = partial(checks.measure_us, itertools.cycle(tokens), fresh=fresh)
            cells[f"{len(tokens)} {way}"] = run
    measured = interleaved(ROUNDS, cells)
    await log.close()
    figures: list[Figure] = []
    for way in WAYS.values():
        few, more = (measured[f"{count} {way}"] for count in (1, ORGANIZATIONS))
        figures += [
            Figure(
                what=f"{ORGANIZATIONS} organizations against one, {way}",
                unit="x CPU",
                rounds=ratios(more, few),
                target=TARGET,
                at_least=False,
            ),
            Figure(what=f"one organization, {way}", unit="µs CPU", rounds=few),
            Figure(what=f"{ORGANIZATIONS} organizations, {way}", unit="µs CPU", rounds=more),
        ]
    speed = Figure(what=PYTHON_SPEED, unit="million/s CPU", rounds=measured["machine"])
    return [*figures, speed]


class _Checks:
    """Checks access tokens as the guard does, in a process that has seen all of them."""

    def __init__(self, office: Office) -> None:
        self._office, states = office, office.commands.states
        ring = KeyRing("a secret of a benchmark, and of nothing else")
        self._tokens = AccessTokens(ring, issuer="benchmark", audience="benchmark")
        self._access = Access(states, KeyCheck(states, office.log))

    async def person(self, organizations: int) -> list[str]:
        """Register a person and return their tokens, one of a session in each organization."""
        office = Office(self._office.log)
        office.commands = self._office.commands
        await office.furnish()
        first = office.org_id
        others = [OrgId(new_id()) for _ in range(organizations - 1)]
        for org_id in others:
            await office.do(
                CreateOrganization(
                    organization_id=org_id, name="Acme", subdomain=f"acme-{org_id.hex[-12:]}"
                )
            )
        return [await self._log_in(office, org_id) for org_id in (first, *others)]

    async def _log_in(self, office: Office, org_id: OrgId) -> str:
        session, now = SessionId(new_id()), datetime.now(UTC)
        login = LogIn(session_id=session, user_id=office.user_id, nonce="n", credentials=0)
        await office.do(login)
        context = replace(office.context(), session_id=session, org_id=org_id)
        await office.commands.handle(SwitchOrganization(organization_id=org_id), context)
        token = self._tokens.issue(office.user_id, session, org_id, now)
        caller = await self._access.check(self._tokens.verify(token, now), now, {})
        assert caller.org_id == org_id
        return token

    def measure_us(self, tokens: Iterator[str], *, fresh: bool) -> float:
        """Return the microseconds of one check, which waits for nothing."""
        began = time.thread_time_ns()
        for token in itertools.islice(tokens, CHECKS):
            try:
                self._check(token, fresh=fresh).send(None)
            except StopIteration:
                continue
            raise AssertionError("a check of what is in memory has waited")
        return (time.thread_time_ns() - began) / CHECKS / 1_000

    async def _check(self, token: str, *, fresh: bool) -> UUID:
        now = datetime.now(UTC)
        claims = self._tokens.verify(token, now)
        return (await self._access.check(claims, now, {} if fresh else None)).user_id
