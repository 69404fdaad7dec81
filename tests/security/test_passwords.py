"""Password hashes, and the queue that computes them one at a time."""

import asyncio
import threading
from collections.abc import Iterator

import argon2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.passwords import HashingBusy, HashingQueue, PasswordCheck, Passwords
from security.pepper import Pepper, Peppers

CHEAP = Passwords(memory_kib=8, iterations=1)
RIGHT = "correct horse battery staple"
STORED = CHEAP.hash(RIGHT)


def test_the_default_cost_is_owasps_argon2id() -> None:
    passwords = Passwords()
    stored = passwords.hash(RIGHT)

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify(stored, RIGHT) == PasswordCheck(accepted=True)
    assert passwords.verify(STORED, RIGHT) == PasswordCheck(accepted=True, needs_rehash=True)
    assert passwords.verify(STORED, "wrong") == PasswordCheck(accepted=False)


@settings(max_examples=50)
@given(password=st.text(), other=st.text())
def test_only_the_same_password_is_accepted(password: str, other: str) -> None:
    stored, wrong = CHEAP.hash(password), other + "x"

    assert CHEAP.verify(stored, password).accepted
    assert wrong == password or not CHEAP.verify(stored, wrong).accepted


def test_the_reference_library_accepts_our_hash() -> None:
    assert argon2.PasswordHasher().verify(STORED, RIGHT)


def test_a_hash_is_renewed_when_the_cost_rises_and_never_weakened() -> None:
    low = Passwords(memory_kib=8, iterations=1)
    slow, large = Passwords(memory_kib=8, iterations=2), Passwords(memory_kib=16, iterations=1)

    for higher in (slow, large):
        assert higher.needs_rehash(low.hash(RIGHT))
        assert not low.needs_rehash(higher.hash(RIGHT))
        assert not higher.needs_rehash(higher.hash(RIGHT))
    assert slow.needs_rehash(large.hash(RIGHT))


OLD, NEW = (
    Pepper("an old pepper of the tests, 0123456789"),
    Pepper("a new one, abcdefghijklmnopqrstuv"),
)


def peppered(*peppers: Pepper) -> Passwords:
    return Passwords(memory_kib=8, iterations=1, peppers=Peppers(*peppers))


def test_a_hash_is_worth_nothing_without_its_pepper() -> None:
    stored = peppered(OLD).hash(RIGHT)

    assert peppered(OLD).verify(stored, RIGHT) == PasswordCheck(accepted=True)
    assert not peppered(OLD).verify(stored, "wrong").accepted
    assert not peppered(NEW).verify(stored, RIGHT).accepted
    assert not CHEAP.verify(stored, RIGHT).accepted
    bare = stored.removeprefix(OLD.id)
    assert not CHEAP.verify(bare, RIGHT).accepted
    assert not peppered(OLD).verify(bare, RIGHT).accepted


def test_a_pepper_is_replaced_login_by_login() -> None:
    both = peppered(NEW, OLD)
    old, plain = peppered(OLD).hash(RIGHT), CHEAP.hash(RIGHT)

    for stored in (old, plain):
        assert both.verify(stored, RIGHT) == PasswordCheck(accepted=True, needs_rehash=True)
        assert both.verify(stored, "wrong") == PasswordCheck(accepted=False)
    renewed = both.hash(RIGHT)
    assert both.verify(renewed, RIGHT) == PasswordCheck(accepted=True)
    assert peppered(NEW).verify(renewed, RIGHT).accepted
    assert both.verify(None, RIGHT) == PasswordCheck(accepted=False)


def test_hashing_a_password_twice_gives_different_hashes() -> None:
    assert CHEAP.hash(RIGHT) != STORED


@pytest.mark.parametrize("password", ["", RIGHT, "\ud800", "x" * 100_000, "\u0301" * 100_000])
def test_an_unknown_user_is_refused_with_any_password(password: str) -> None:
    assert CHEAP.verify(None, password) == PasswordCheck(accepted=False)


def test_a_pepper_is_applied_for_an_unknown_user_too(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords, applied, peppering = peppered(NEW, OLD), list[str](), Pepper.applied

    def noted(pepper: Pepper, password: bytes) -> bytes:
        applied.append(pepper.id)
        return peppering(pepper, password)

    stored = passwords.hash(RIGHT)
    monkeypatch.setattr(Pepper, "applied", noted)
    for each in (stored, None):
        assert not passwords.verify(each, "wrong").accepted

    assert applied == [NEW.id, NEW.id]


def test_composed_and_decomposed_accents_are_one_password() -> None:
    assert CHEAP.verify(CHEAP.hash("caf\u00e9 au lait"), "cafe\u0301 au lait").accepted


def test_passwords_are_neither_truncated_nor_trimmed() -> None:
    stored = CHEAP.hash("x" * 256)

    assert not CHEAP.verify(stored, "x" * 255).accepted
    assert not CHEAP.verify(STORED, f" {RIGHT}").accepted


def test_a_damaged_hash_is_an_error_and_not_a_wrong_password() -> None:
    with pytest.raises(argon2.exceptions.InvalidHashError):
        CHEAP.verify("damaged", RIGHT)


class Gated(Passwords):
    """Real hashing that waits at a gate, so that a test can fill the queue."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        super().__init__(memory_kib=8, iterations=1)
        self.gate.clear()
        self.threads: set[int] = set()

    def hash(self, password: str) -> str:
        self.gate.wait(10)
        if hasattr(self, "threads"):
            self.threads.add(threading.get_ident())
        return super().hash(password)

    def verify(self, stored: str | None, password: str) -> PasswordCheck:
        self.gate.wait(10)
        return super().verify(stored, password)


class TestHashingQueue:
    @pytest.fixture
    def gated(self) -> Gated:
        return Gated()

    @pytest.fixture
    def queue(self, gated: Gated) -> Iterator[HashingQueue]:
        queue = HashingQueue(gated, waiting_max=3)
        yield queue
        gated.gate.set()
        queue.close()

    async def test_the_queue_hashes_and_verifies(self, queue: HashingQueue, gated: Gated) -> None:
        gated.gate.set()
        stored = await queue.hash(RIGHT)

        assert await queue.verify(stored, RIGHT) == PasswordCheck(accepted=True)
        assert await queue.verify(None, RIGHT) == PasswordCheck(accepted=False)

    async def test_a_full_queue_refuses_at_once_and_uses_one_thread(
        self, queue: HashingQueue, gated: Gated
    ) -> None:
        inside = [asyncio.create_task(queue.hash(RIGHT)) for _ in range(4)]
        await asyncio.sleep(0)

        with pytest.raises(HashingBusy) as busy:
            await queue.hash(RIGHT)
        gated.gate.set()
        served = await asyncio.gather(*inside)

        assert busy.value.retry_after_s == 1
        assert len(set(served)) == 4
        assert len(gated.threads) == 1
        assert threading.get_ident() not in gated.threads

    async def test_the_queue_accepts_again_after_a_burst(
        self, queue: HashingQueue, gated: Gated
    ) -> None:
        gated.gate.set()

        for _ in range(10):
            await queue.hash(RIGHT)

    async def test_a_cancelled_request_frees_its_place(
        self, queue: HashingQueue, gated: Gated
    ) -> None:
        inside = [asyncio.create_task(queue.hash(RIGHT)) for _ in range(4)]
        await asyncio.sleep(0)

        inside[-1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await inside[-1]
        late = asyncio.create_task(queue.hash(RIGHT))
        await asyncio.sleep(0)
        gated.gate.set()

        assert await late

    async def test_an_error_is_raised_and_frees_its_place(
        self, queue: HashingQueue, gated: Gated
    ) -> None:
        gated.gate.set()

        for _ in range(6):
            with pytest.raises(argon2.exceptions.InvalidHashError):
                await queue.verify("damaged", RIGHT)

    async def test_one_source_leaves_half_of_the_places_to_others(
        self, queue: HashingQueue, gated: Gated
    ) -> None:
        inside = [asyncio.create_task(queue.verify(None, RIGHT, whose="a")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(HashingBusy):
            await queue.verify(None, RIGHT, whose="a")

        inside.append(asyncio.create_task(queue.verify(None, RIGHT, whose="b")))
        await asyncio.sleep(0)
        assert not inside[-1].done()
        gated.gate.set()
        await asyncio.gather(*inside)

        await asyncio.gather(*(queue.verify(None, RIGHT, whose="a") for _ in range(2)))

    async def test_known_devices_have_places_that_strangers_cannot_take(self, gated: Gated) -> None:
        queue = HashingQueue(gated, waiting_max=3, reserved=2)
        inside = [asyncio.create_task(queue.verify(None, RIGHT, whose=str(n))) for n in range(40)]
        await asyncio.sleep(0)
        known = [asyncio.create_task(queue.verify(None, RIGHT, known=True)) for _ in range(2)]
        await asyncio.sleep(0)

        with pytest.raises(HashingBusy):
            await queue.verify(None, RIGHT, known=True)
        gated.gate.set()
        answers = await asyncio.gather(*inside, return_exceptions=True)
        await asyncio.gather(*known)

        assert sum(isinstance(answer, HashingBusy) for answer in answers) == 36
        await asyncio.gather(*(queue.verify(None, RIGHT, known=True) for _ in range(6)))
        queue.close()
