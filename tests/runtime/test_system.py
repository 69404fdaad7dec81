"""A system waits for stores that are still starting, up to a limit."""

import asyncio
import logging
from pathlib import Path

import pytest

from cli.migrate import migrate
from eventstore.append import LogUnavailable, LogUnfit
from eventstore.counters import LOG_DRIVER, counters_of
from runtime.secret_file import SECRETS_FILE
from runtime.settings import load_settings
from runtime.system import (
    CONNECTS_MAX,
    StoreUnreachable,
    open_system,
    retry_until_reachable,
    without_password,
)
from tests.eventstore.conftest import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]  # fixtures, found by their names

URL = "postgresql://app:hidden@db:5432/log"


class Starting:
    """A store that answers from its *n*-th attempt on."""

    def __init__(self, answers_at: int) -> None:
        self.attempts, self._answers_at = 0, answers_at

    async def __call__(self) -> str:
        self.attempts += 1
        if self.attempts < self._answers_at:
            raise LogUnavailable("connection refused")
        return "open"


async def test_a_store_that_answers_at_the_third_attempt_is_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Starting(answers_at=3)
    retries = counters_of(LOG_DRIVER).retries

    with caplog.at_level(logging.WARNING):
        assert await retry_until_reachable("event log", URL, store, wait_s=0.001) == "open"

    assert store.attempts == 3
    assert counters_of(LOG_DRIVER).retries == retries + 2
    assert [f"attempt {n} of {CONNECTS_MAX}" in caplog.text for n in (1, 2, 3)] == [
        True,
        True,
        False,
    ]
    assert "hidden" not in caplog.text


async def test_a_store_that_never_answers_is_named_in_the_error() -> None:
    store = Starting(answers_at=CONNECTS_MAX + 1)

    with pytest.raises(StoreUnreachable) as ended:
        await retry_until_reachable("event log", URL, store, wait_s=0.001)

    assert store.attempts == CONNECTS_MAX
    assert str(ended.value).startswith("event log at postgresql://db:5432/log ")


async def test_other_errors_are_not_retried() -> None:
    async def broken() -> str:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        await retry_until_reachable("event log", URL, broken, wait_s=0.001)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (URL, "postgresql://db:5432/log"),
        ("mongodb://u:p%40@a,b/?replicaSet=rs", "mongodb://a,b/?replicaSet=rs"),
        ("sqlite:///data/events.db", "sqlite:///data/events.db"),
    ],
)
def test_urls_are_logged_without_passwords(url: str, shown: str) -> None:
    assert without_password(url) == shown


async def test_secrets_that_were_lost_beside_a_log_in_postgresql_are_missed(
    tmp_path: Path, postgres_url: str
) -> None:
    await asyncio.to_thread(migrate, postgres_url)
    environ = {"DATA_DIR": str(tmp_path), "EVENTS_URL": postgres_url}
    async with open_system(load_settings(environ)):
        pass
    async with open_system(load_settings(environ)):
        pass  # with the same secrets, again and again
    (tmp_path / SECRETS_FILE).unlink()

    with pytest.raises(LogUnfit, match="MASTER_KEY is not the one"):
        async with open_system(load_settings(environ)):
            pass


async def test_another_log_secret_is_refused_before_anybody_fails_to_log_in(
    tmp_path: Path,
) -> None:
    environ = {"DATA_DIR": str(tmp_path)}
    async with open_system(load_settings(environ)):
        pass

    with pytest.raises(LogUnfit, match="LOG_SECRET is not the one"):
        async with open_system(load_settings({**environ, "LOG_SECRET": "w2Kf" * 10 + "9xQz"})):
            pass
