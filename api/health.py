"""HTTP for whoever watches over the process."""

import asyncio
from collections.abc import Awaitable

from litestar import Controller, get
from msgspec import Struct

from api.answer import Answer, json_answer
from api.asking import Asking
from api.policy import public
from api.problem import Problem
from api.route import shows
from runtime.outages import StoreOutage

ANSWER_S = 2.0
"""A store that takes longer to answer so little is as good as down."""


class Health(Struct, frozen=True):
    """How the process is, and each store that it needs."""

    status: str
    checks: dict[str, str]


class HealthController(Controller):
    """Alive, and ready to serve."""

    tags = ("Operations",)

    @get(["/api/health", "/health"], opt=public(), responses=shows(Health))
    async def live(self, request: Asking) -> Answer:
        """Say that the process answers at all; the stores are not asked."""
        return json_answer(Health("ok", {}))

    @get(["/api/health/ready", "/health/ready"], opt=public(), responses=shows(Health))
    async def ready(self, request: Asking) -> Answer:
        """Say whether the stores answer, so that requests can be served."""
        house = request.door.house
        checks = {
            "eventLog": await _state(house.log.last_position()),
            "readModels": await _state(house.database.command("ping")),
        }
        if set(checks.values()) != {"ok"}:
            raise Problem(
                503,
                "not_ready",
                "A store does not answer.",
                facts={"checks": checks},
                headers={"retry-after": "2"},
            )
        return json_answer(Health("ok", checks))


async def _state(question: Awaitable[object]) -> str:
    try:
        async with asyncio.timeout(ANSWER_S):
            await question
    except (*StoreOutage, TimeoutError):
        return "unavailable"
    return "ok"
