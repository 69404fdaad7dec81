"""What does it cost to load an organization of 50,000 members, and to fold one more member?"""

import time
from collections.abc import Sequence
from uuid import uuid4

import uvloop

from benchmarks.harness.calm import PYTHON_SPEED, python_speed
from benchmarks.harness.figures import Figure, interleaved
from benchmarks.harness.seeding import Office, open_log
from benchmarks.harness.workplace import workplace
from commands.states import Loaded, fold
from domain.base import Event, UserId
from domain.identity.organization.membership import MemberJoined, Role
from domain.identity.organization.state import Organization
from eventstore.append import Append
from eventstore.codec import NOWHERE, encode
from eventstore.log import EventLog
from eventstore.log_reads import History
from eventstore.recorded import Metadata, microseconds
from eventstore.sqlite import SqliteStore
from runtime.process import spare_the_collector

MEMBERS = 50_000
ROWS_AN_APPEND = 5_000
ONE_BY_ONE = 1_000
ROUNDS = 9
COLD_LOAD_MS = 250
ONE_MORE_US = 50


def measure() -> list[Figure]:
    """Return CPU milliseconds of a cold load and its parts, and microseconds per member folded."""
    with workplace() as directory:
        return uvloop.run(_measure(SqliteStore(str(directory / "events.db"))))


async def _measure(store: SqliteStore) -> list[Figure]:
    log = await open_log(store)
    office = Office(log)
    await office.furnish()
    await join_members(office)
    history = await log.history(office.org_id, office.org_id)
    organization: Organization = fold(_nothing(), history).state
    assert len(organization.members) == MEMBERS
    spare_the_collector()  # as the API does, whose commands load organizations
    cells = {
        "rows": lambda: _rows(store, office),
        "load": lambda: _load(log, office),
        "fold": lambda: _fold(history),
        "one": lambda: _one_more(organization),
        "machine": python_speed,
    }
    measured = interleaved(ROUNDS, cells)
    await log.close()
    return [
        Figure(
            what=f"load an organization of {MEMBERS:,} members cold (SQLite)",
            unit="ms CPU",
            rounds=measured["load"],
            target=COLD_LOAD_MS,
            at_least=False,
        ),
        Figure(what="of that, read the rows", unit="ms CPU", rounds=measured["rows"]),
        Figure(what="of that, fold the decoded events", unit="ms CPU", rounds=measured["fold"]),
        Figure(
            what="fold one more member",
            unit="µs CPU",
            rounds=measured["one"],
            target=ONE_MORE_US,
            at_least=False,
        ),
        Figure(what=PYTHON_SPEED, unit="million/s CPU", rounds=measured["machine"]),
    ]


async def join_members(office: Office) -> None:
    """Record directly in the log that members join, until there are ``MEMBERS``."""
    version = (await office.log.heads({office.org_id: office.org_id}))[office.org_id]
    left = MEMBERS - 1
    while left:
        events = [_joined() for _ in range(min(left, ROWS_AN_APPEND))]
        await _append(office, version, events)
        version, left = version + len(events), left - len(events)


async def _append(office: Office, version: int, events: Sequence[Event]) -> None:
    context = office.context()
    append = Append(rows=[], expects={office.org_id: version}, keys={})
    for number, event in enumerate(events, start=version + 1):
        metadata = Metadata(
            stream=office.org_id,
            version=number,
            at=microseconds(context.now),
            actor=context.actor,
            command="AcceptInvitation",
        )
        append.rows.append(encode(event, metadata, office.org_id, NOWHERE, None))
    await office.log.append(append)


def _joined() -> MemberJoined:
    return MemberJoined(user_id=UserId(uuid4()), role=Role.MEMBER)


def _nothing() -> Loaded[Organization]:
    return Loaded(Organization(), 0, None, None)


def _load(log: EventLog, office: Office) -> float:
    async def load() -> None:
        fold(_nothing(), await log.history(office.org_id, office.org_id))

    began = time.thread_time_ns()
    # In-process reads never wait, so the coroutine runs to its end at once.
    try:
        load().send(None)
    except StopIteration:
        return (time.thread_time_ns() - began) / 1_000_000
    raise AssertionError("a read of an in-process store has waited")


def _rows(store: SqliteStore, office: Office) -> float:
    began = time.thread_time_ns()
    store.stream(office.org_id)
    return (time.thread_time_ns() - began) / 1_000_000


def _fold(history: History) -> float:
    began = time.thread_time_ns()
    fold(_nothing(), history)
    return (time.thread_time_ns() - began) / 1_000_000


def _one_more(organization: Organization) -> float:
    joining = [_joined() for _ in range(ONE_BY_ONE)]
    began = time.thread_time_ns()
    for event in joining:
        organization.evolve(event)
    return (time.thread_time_ns() - began) / ONE_BY_ONE / 1_000
