"""Can a stranger tell from response times whether an e-mail address has an account?

The stranger tries each address once, as somebody with a list of addresses would, and one request at
a time, which is the best that timing can do. The AUC is the chance that a response for a known
address takes longer than one for an unknown address: 0.5 tells nothing, 0 or 1 tells all. The
figures give it as its larger side, so that taking less time counts as well. Two groups of unknown
addresses, which nothing distinguishes, show how far chance alone takes it.
"""

import asyncio
import random
import time
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import Any

import uvloop

from benchmarks.harness.calm import wait_for_calm
from benchmarks.harness.figures import Figure
from benchmarks.harness.http_client import Client, Connection, RequestFailed
from benchmarks.harness.processes import API, stack
from benchmarks.harness.workplace import workplace

ADDRESSES = 200
"""Of each group in a round, which has its own: by chance the AUC then differs from 0.5 by 0.029
(its standard deviation without ties, after Hanley and McNeil 1982)."""
ROUNDS = 3
TARGET = 0.55
"""By chance alone, 1 round in 12 is beyond it, and the median of 3 in 1 run of 50."""
SETTLE_S = 0.005
"""After a forgotten password, so that its mail is asked for before the next address is tried."""
KNOWN, UNKNOWN, OTHERS = "known", "unknown", "also unknown"
PASSWORD, WRONG = "tulip-Harbour-91-quiet", "tulip-Harbour-92-quiet"

Times = dict[str, list[float]]
"""Milliseconds of each group."""

Ask = Callable[[Connection, str], Awaitable[float]]
"""Asks about an address and returns the milliseconds."""


def measure() -> list[Figure]:
    """Return the AUC of logins with a wrong password, and of forgotten passwords."""
    with workplace() as directory, stack(directory) as processes:
        processes.start(API)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_Stranger(Client(processes.address)).measure())


class _Stranger:
    """Tries addresses, half of which nobody knows."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def measure(self) -> list[Figure]:
        """Try both routes, each with all addresses."""
        await self._client.wait_until_ready()
        for turn in range(ROUNDS + 1):
            for number in range(ADDRESSES):
                email = _address(KNOWN, turn, number)
                account = {"email": email, "password": PASSWORD, "name": "Ana"}
                await self._client.ask("POST", "/api/auth/register", account)
        logins, resets = await self._rounds(self._login), await self._rounds(self._forget)
        followers = await self._rounds(self._forget_and_ask)
        return [
            *_figures("a login with a wrong password", logins, TARGET),
            *_figures("a forgotten password", resets, TARGET),
            *_figures("the request after a forgotten password", followers),
        ]

    async def _rounds(self, ask: Ask) -> list[Times]:
        rounds: list[Times] = []
        for turn in range(ROUNDS + 1):
            await asyncio.to_thread(wait_for_calm)
            times = await self._round(turn, ask)
            if turn:
                rounds.append(times)
        return rounds

    async def _round(self, turn: int, ask: Ask) -> Times:
        groups = [KNOWN, UNKNOWN, OTHERS] * ADDRESSES
        random.shuffle(groups)
        times: Times = {group: [] for group in groups}
        connection = await self._client.connect()
        for group in groups:
            taken_ms = await ask(connection, _address(group, turn, len(times[group])))
            times[group].append(taken_ms)
        connection.close()
        return times

    async def _login(self, connection: Connection, email: str) -> float:
        body = {"email": email, "password": WRONG}
        return await self._timed(connection, "POST", "/api/auth/login", body)

    async def _forget(self, connection: Connection, email: str) -> float:
        taken_ms = await self._timed(
            connection, "POST", "/api/auth/forgot-password", {"email": email}
        )
        await asyncio.sleep(SETTLE_S)
        return taken_ms

    async def _forget_and_ask(self, connection: Connection, email: str) -> float:
        request = self._client.request("POST", "/api/auth/forgot-password", {"email": email})
        await connection.ask(request)
        taken_ms = await self._timed(connection, "GET", "/api/health", None)
        await asyncio.sleep(SETTLE_S)
        return taken_ms

    async def _timed(self, connection: Connection, method: str, path: str, body: Any) -> float:
        """Return the milliseconds of one response, which may be that the password is wrong."""
        request = self._client.request(method, path, body)
        began = time.perf_counter()
        try:
            await connection.ask(request)
        except RequestFailed as refused:
            if " 401 " not in str(refused):
                raise
        return (time.perf_counter() - began) * 1_000


def _address(group: str, turn: int, number: int) -> str:
    """Return an address; all are equally long."""
    first = {KNOWN: "a", UNKNOWN: "b", OTHERS: "c"}[group]
    return f"{first}{turn}{number:04}@example.com"


def _figures(what: str, rounds: Sequence[Times], target: float | None = None) -> list[Figure]:
    def aucs(group: str) -> list[float]:
        return [larger_side(auc(times[group], times[UNKNOWN])) for times in rounds]

    def medians(group: str) -> list[float]:
        return [median(times[group]) for times in rounds]

    return [
        Figure(
            what=f"{what}: known against unknown addresses",
            unit="AUC",
            rounds=aucs(KNOWN),
            target=target,
            at_least=False,
        ),
        Figure(what=f"{what}: unknown against unknown", unit="AUC", rounds=aucs(OTHERS)),
        Figure(what=f"{what}: known addresses, p50", unit="ms", rounds=medians(KNOWN)),
        Figure(what=f"{what}: unknown addresses, p50", unit="ms", rounds=medians(UNKNOWN)),
    ]


def auc(over: Sequence[float], under: Sequence[float]) -> float:
    """Return the chance that one of *over* is greater than one of *under*; ties count half."""
    ordered = sorted(under)
    wins = sum(bisect_left(ordered, each) + bisect_right(ordered, each) for each in over)
    return wins / 2 / len(over) / len(under)


def larger_side(area: float) -> float:
    """Return *area*, or as much on the other side of 0.5."""
    return max(area, 1 - area)
