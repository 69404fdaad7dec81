"""Password hashes: Argon2id, one at a time so that other requests stay fast."""

import asyncio
import secrets
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import argon2
import msgspec
from argon2.exceptions import VerifyMismatchError

MEMORY_KIB = 19_456
ITERATIONS = 2
LANES = 1
"""OWASP Password Storage Cheat Sheet: m=19 MiB, t=2, p=1; about 23 ms on one core."""

NORMALISED_CHARS_MAX = 1024
"""Normalising is quadratic in runs of combining marks, and no password is this long."""

WAITING_MAX = 16
"""With a longer queue the wait would exceed a client's patience: about 0.4 s."""

RETRY_AFTER_S = 1

P = ParamSpec("P")
T = TypeVar("T")


class PasswordCheck(msgspec.Struct, frozen=True):
    """Whether a password was right, and whether its hash must be renewed at today's cost."""

    accepted: bool
    needs_rehash: bool = False


class Passwords:
    """Hashes and verifies passwords at a cost of *memory_kib*, *iterations* and *lanes*."""

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        iterations: int = ITERATIONS,
        lanes: int = LANES,
    ) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=iterations, memory_cost=memory_kib, parallelism=lanes, type=argon2.Type.ID
        )
        self._nobody = self.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """Return the hash in PHC string format, with a random salt of its own."""
        return self._hasher.hash(_prepared(password))

    def verify(self, stored: str | None, password: str) -> PasswordCheck:
        """Return whether *password* matches *stored*.

        None stands for an unknown user: it takes as long as a wrong password and is refused. A hash
        of another cost takes a different time; whoever must hide that as well gives the whole
        response a minimum time.

        :raises argon2.exceptions.InvalidHashError: *stored* is not a hash.
        """
        try:
            self._hasher.verify(self._nobody if stored is None else stored, _prepared(password))
        except VerifyMismatchError:
            return PasswordCheck(accepted=False)
        if stored is None:
            return PasswordCheck(accepted=False)
        return PasswordCheck(accepted=True, needs_rehash=self.needs_rehash(stored))

    def needs_rehash(self, stored: str) -> bool:
        """Return whether *stored* was made at a cost other than today's."""
        return self._hasher.check_needs_rehash(stored)


class HashingBusy(Exception):
    """Too many people are logging in; retry after ``retry_after_s`` seconds."""

    retry_after_s = RETRY_AFTER_S


class HashingQueue:
    """Hashes in one thread of its own, one after the other, and refuses what would wait too long.

    Argon2 is memory and CPU intensive by design: in parallel, a burst of logins would take both
    from every other request.
    """

    def __init__(self, passwords: Passwords, *, waiting_max: int = WAITING_MAX) -> None:
        self._passwords = passwords
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="password-hashing")
        self._places = threading.Semaphore(waiting_max + 1)  # including the one being hashed

    async def hash(self, password: str) -> str:
        """Return the hash of *password*.

        :raises HashingBusy: the queue is full.
        """
        return await self._in_turn(self._passwords.hash, password)

    async def verify(self, stored: str | None, password: str) -> PasswordCheck:
        """Return whether *password* matches *stored* (None: an unknown user).

        :raises HashingBusy: the queue is full.
        """
        return await self._in_turn(self._passwords.verify, stored, password)

    def close(self) -> None:
        """Finish the current hash, cancel those waiting, and end the thread."""
        self._thread.shutdown(cancel_futures=True)

    async def _in_turn(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if not self._places.acquire(blocking=False):
            raise HashingBusy
        future = self._thread.submit(work, *args, **kwargs)
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _: Future[T]) -> None:
        # A place is free only when the work is done: a caller who gives up while the thread is
        # working for them still occupies it.
        self._places.release()


def _prepared(password: str) -> bytes:
    """Return the bytes to hash: NFC (RFC 8265, section 4.2.2), the same from every keyboard."""
    if len(password) <= NORMALISED_CHARS_MAX:
        password = unicodedata.normalize("NFC", password)
    return password.encode("utf-8", "surrogatepass")
