"""Two API processes share their rate limits, and answer when their Redis is killed."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from devstack.port import HOST, HeldPort
from devstack.redis import redis
from tests.acceptance.system import ROOT, environment, eventually

pytestmark = pytest.mark.acceptance
LIMIT = 10


@contextmanager
def api(data_dir: Path, redis_url: str = "", limits: str = "off", **more: str) -> Iterator[str]:
    """Run an API process until the block ends, with *more* settings; yield its address."""
    port = HeldPort()
    settings = environment(
        data_dir,
        APP_ENV="test",
        PORT=str(int(port)),
        REDIS_URL=redis_url,
        RATE_LIMITS=limits,
        **more,
    )
    url = f"http://{HOST}:{int(port)}/api"
    with (data_dir / f"api-{int(port)}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "api"], env=settings, cwd=ROOT, stdout=log, stderr=log
        )
    try:
        eventually(lambda: _answers(url), "an API process answers")
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _answers(url: str) -> bool | None:
    try:
        return httpx.get(f"{url}/health").status_code == 200 or None
    except httpx.TransportError:
        return None


def logins(urls: list[str], count: int) -> Counter[int]:
    """Return the statuses of *count* wrong logins, sent to all processes in turn."""
    body = {"email": "nobody@example.com", "password": "wrong"}
    with httpx.Client(timeout=30) as client:
        return Counter(
            client.post(f"{urls[n % len(urls)]}/auth/login", json=body).status_code
            for n in range(count)
        )


def test_the_login_limit_holds_over_two_processes_and_the_death_of_redis(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(redis(tmp_path / "redis"))
        limits = f"login={LIMIT}/3600"
        urls = [stack.enter_context(api(tmp_path, server.url, limits)) for _ in range(2)]

        together = logins(urls, 2 * LIMIT)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        alone = logins(urls, 4 * LIMIT)

        assert together == {401: LIMIT, 429: LIMIT}
        # Each process has let half of them pass before, or counted what Redis refused.
        assert set(alone) <= {401, 429}
        assert alone[401] <= LIMIT
