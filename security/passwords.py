"""Password hashes: Argon2id, one at a time so that other requests stay fast."""

import asyncio
import re
import secrets
import threading
import unicodedata
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, ParamSpec, TypeGuard, TypeVar

import argon2
import bcrypt
import msgspec
from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from security.pepper import Peppers

MEMORY_KIB = 19_456
ITERATIONS = 2
LANES = 1
"""OWASP Password Storage Cheat Sheet: m=19 MiB, t=2, p=1; about 23 ms on one core."""

NORMALISED_CHARS_MAX = 1024
"""Normalising is quadratic in runs of combining marks, and no password is this long."""

BCRYPT_COST_MAX = 14
"""About a second on one core; each step more takes twice as long."""
BCRYPT_BYTES = 72
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")

WAITING_MAX = 16
"""With a longer queue the wait would exceed a client's patience: about 0.4 s."""

RESERVED = 8
"""Places that only known devices get, so that strangers cannot keep them from logging in."""

RETRY_AFTER_S = 1

P = ParamSpec("P")
T = TypeVar("T")


class PasswordCheck(msgspec.Struct, frozen=True):
    """Whether a password was right, and whether its hash must be renewed at today's cost."""

    accepted: bool
    needs_rehash: bool = False


class Passwords:
    """Hashes and verifies passwords at a cost of *memory_kib*, *iterations* and *lanes*.

    With *peppers*, a hash begins with the id of the one that it was made with. A hash without one
    is still verified, and then renewed.
    """

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        iterations: int = ITERATIONS,
        lanes: int = LANES,
        peppers: Peppers | None = None,
    ) -> None:
        self._peppers = peppers
        self._hasher = argon2.PasswordHasher(
            time_cost=iterations, memory_cost=memory_kib, parallelism=lanes, type=argon2.Type.ID
        )
        self._nobody = self._hasher.hash(secrets.token_urlsafe())
        self._cost = extract_parameters(self._nobody)

    def hash(self, password: str) -> str:
        """Return the hash in PHC string format, with a random salt of its own."""
        if self._peppers is None:
            return self._hasher.hash(_prepared(password))
        pepper = self._peppers.current
        return pepper.id + self._hasher.hash(pepper.applied(_prepared(password)))

    def verify(self, stored: str | None, password: str) -> PasswordCheck:
        """Return whether *password* matches *stored*.

        None stands for an unknown user: it takes as long as a wrong password and is refused. A hash
        of another cost takes a different time; whoever must hide that as well gives the whole
        response a minimum time.

        :raises argon2.exceptions.InvalidHashError: *stored* is not a hash.
        """
        if is_bcrypt(stored):
            return _verified_by_bcrypt(stored, password)
        known, prepared = self._hash_and_input(stored, _prepared(password))
        try:
            self._hasher.verify(self._nobody if known is None else known, prepared)
        except VerifyMismatchError:
            return PasswordCheck(accepted=False)
        if stored is None or known is None:
            return PasswordCheck(accepted=False)
        return PasswordCheck(accepted=True, needs_rehash=self.needs_rehash(stored))

    def needs_rehash(self, stored: str) -> bool:
        """Return whether *stored* has another pepper or algorithm than today's, or a lower cost.

        A hash of a higher cost stays: it is not made weaker because the cost was lowered.
        """
        pepper_id, _, _ = stored.partition("$")
        if self._peppers is not None and pepper_id != self._peppers.current.id:
            return True
        stored = stored[len(pepper_id) :]
        if not self._hasher.check_needs_rehash(stored):
            return False
        made, wanted = extract_parameters(stored), self._cost
        return (
            made.type is not wanted.type
            or made.memory_cost < wanted.memory_cost
            or made.time_cost < wanted.time_cost
        )

    def _hash_and_input(self, stored: str | None, prepared: bytes) -> tuple[str | None, bytes]:
        """Return the hash without the id of its pepper, and what must have been hashed.

        A hash whose pepper is not known any more is that of nobody.
        """
        if stored is None:  # the same work as for a hash of today
            current = None if self._peppers is None else self._peppers.current
            return None, prepared if current is None else current.applied(prepared)
        pepper_id, found, _ = stored.partition("$")
        if not found or not pepper_id:
            return stored, prepared
        pepper = None if self._peppers is None else self._peppers.of(pepper_id)
        if pepper is None:
            return None, prepared
        return stored[len(pepper_id) :], pepper.applied(prepared)


def is_bcrypt(stored: str | None) -> TypeGuard[str]:
    """Return whether *stored* is a bcrypt hash of a cost that a login can bear.

    Such hashes come from other systems; a login replaces them.
    """
    found = None if stored is None else _BCRYPT.fullmatch(stored)
    return found is not None and int(found[1]) <= BCRYPT_COST_MAX


def is_importable(stored: str) -> bool:
    """Return whether *stored* is a hash from another system that a login can verify."""
    if is_bcrypt(stored):
        return True
    try:
        return extract_parameters(stored).type is argon2.Type.ID
    except InvalidHashError:
        return False


def _verified_by_bcrypt(stored: str, password: str) -> PasswordCheck:
    # bcrypt uses 72 bytes; the systems that made these hashes cut off the rest without a word.
    given = password.encode("utf-8", "surrogatepass")[:BCRYPT_BYTES]
    accepted = bcrypt.checkpw(given, stored.encode())
    return PasswordCheck(accepted, needs_rehash=accepted)


class HashingBusy(Exception):
    """Too many people are logging in; retry after ``retry_after_s`` seconds."""

    retry_after_s = RETRY_AFTER_S


class _Place(NamedTuple):
    whose: str
    reserved: bool


class HashingQueue:
    """Hashes in one thread of its own, one after the other, and refuses what would wait too long.

    Argon2 is memory and CPU intensive by design: in parallel, a burst of logins would take both
    from every other request.
    """

    def __init__(
        self, passwords: Passwords, *, waiting_max: int = WAITING_MAX, reserved: int = RESERVED
    ) -> None:
        self._passwords = passwords
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="password-hashing")
        self._lock = threading.Lock()
        self._free = waiting_max + 1  # including the one being hashed
        self._reserved = reserved
        self._held: Counter[str] = Counter()
        self._waiting: set[asyncio.Task[Any] | None] = set()

    def is_awaited_by(self, task: "asyncio.Task[Any]") -> bool:
        """Return whether *task* waits for its turn, or for its hash."""
        return task in self._waiting

    async def hash(self, password: str) -> str:
        """Return the hash of *password*.

        :raises HashingBusy: the queue is full.
        """
        return await self._in_turn(self._enter("", known=False), self._passwords.hash, password)

    async def verify(
        self, stored: str | None, password: str, *, whose: str = "", known: bool = False
    ) -> PasswordCheck:
        """Return whether *password* matches *stored* (None: an unknown user).

        *whose* names where the password comes from: one source gets no more places than it leaves
        free for others. A *known* device may use the reserved places.

        :raises HashingBusy: the queue is full.
        """
        place = self._enter(whose, known=known)
        return await self._in_turn(place, self._passwords.verify, stored, password)

    def close(self) -> None:
        """Finish the current hash, cancel those waiting, and end the thread."""
        self._thread.shutdown(cancel_futures=True)

    def _enter(self, whose: str, *, known: bool) -> _Place:
        with self._lock:
            crowded = bool(whose) and self._held[whose] >= self._free
            if self._free and not crowded:
                self._free -= 1
                self._held[whose] += 1
                return _Place(whose, reserved=False)
            if known and self._reserved:
                self._reserved -= 1
                return _Place(whose, reserved=True)
        raise HashingBusy

    def _leave(self, place: _Place) -> None:
        with self._lock:
            if place.reserved:
                self._reserved += 1
                return
            self._free += 1
            self._held[place.whose] -= 1
            if not self._held[place.whose]:
                del self._held[place.whose]

    async def _in_turn(
        self, place: _Place, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        future = self._thread.submit(work, *args, **kwargs)
        # A place is free only when the work is done: a caller who gives up while the thread is
        # working for them still occupies it.
        future.add_done_callback(lambda _: self._leave(place))
        task = asyncio.current_task()
        self._waiting.add(task)
        try:
            return await asyncio.wrap_future(future)
        finally:
            self._waiting.discard(task)


def _prepared(password: str) -> bytes:
    """Return the bytes to hash: NFC (RFC 8265, section 4.2.2), the same from every keyboard."""
    if len(password) <= NORMALISED_CHARS_MAX:
        password = unicodedata.normalize("NFC", password)
    return password.encode("utf-8", "surrogatepass")
