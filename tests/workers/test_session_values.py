"""What is kept beside the log for sessions goes with them."""

from datetime import timedelta

import pytest

from commands.identity.session_use import LAST_USE
from commands.identity.token_use import GENERATION_SEEN
from commands.identity.user import PASSWORD
from domain.base import PLATFORM
from domain.identity.session.events import SessionEnded
from eventstore.append import Secret
from tests.commands.acme import LAPTOP, PHONE, started
from tests.domain.spec import ANA
from tests.spec import on, record
from tests.workers.stage import Stage
from workers.housekeeping import JOB_KINDS, KEPT, PRUNE_SESSIONS, prune_sessions

pytestmark = pytest.mark.servers


async def test_what_is_kept_for_sessions_goes_once_they_are_over(stage: Stage) -> None:
    system, password = stage.system, Secret(ANA, PASSWORD, b"hash")
    start = {"started_at": stage.clock(), "expires_at": stage.clock() + KEPT}
    idle = timedelta(days=7)
    await record(
        system.log,
        on(LAPTOP, started(ANA, **start, idle_expires_at=stage.clock() + idle)),
        on(PHONE, started(ANA, **start, idle_expires_at=stage.clock() + idle, place=1)),
    )
    await record(system.log, on(PHONE, SessionEnded()))
    await system.log.put_secret(password, PLATFORM)
    for session in (LAPTOP, PHONE):
        for name in (LAST_USE, GENERATION_SEEN):
            await system.log.put_secret(Secret(session, name, b"1"), PLATFORM)

    async def kept() -> list[int]:
        return [len(await system.log.secrets(owner, PLATFORM)) for owner in (LAPTOP, PHONE, ANA)]

    assert await prune_sessions(system) == 2
    assert await kept() == [2, 0, 1]
    stage.clock.ahead = idle
    assert await prune_sessions(system) == 2
    assert await kept() == [0, 0, 1]
    assert PRUNE_SESSIONS in JOB_KINDS
