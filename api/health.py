"""HTTP routes of the health checks."""

import asyncio
from collections.abc import Awaitable

from litestar import Controller, get
from msgspec import Struct

from api.http.parameters import shows
from api.http.policy import public
from api.http.problem import Problem
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from projections.engine.store import Rebuilding
from runtime.instance import instance_id
from runtime.outages import StoreOutage

ANSWER_S = 2.0
"""A store that takes longer to answer a ping counts as unavailable."""


class HealthStatus(Struct, frozen=True):
    """The health of the process and of each store it needs."""

    status: str
    checks: dict[str, str]
    instance: str
    """Which system answers: ``up`` asks its own."""


class HealthController(Controller):
    """Liveness and readiness checks."""

    tags = ("Operations",)

    @get(["/api/health", "/health"], opt=public(), responses=shows(HealthStatus))
    async def live(self, request: ApiRequest) -> ApiResponse:
        """Report that the process is alive, without checking its stores."""
        return json_response(HealthStatus("ok", {}, instance_id()))

    @get(["/api/health/ready", "/health/ready"], opt=public(), responses=shows(HealthStatus))
    async def ready(self, request: ApiRequest) -> ApiResponse:
        """Report whether the stores answer, so that requests can be served."""
        system = request.api.system
        checks = {
            "eventLog": await _state(system.log.last_position()),
            "readModels": await _state(request.api.progress.refuse_unless_serving()),
        }
        if set(checks.values()) != {"ok"}:
            raise Problem(
                503,
                "not_ready",
                "At least one store does not answer. See `checks`.",
                details={"checks": checks},
                headers={"retry-after": "2"},
            )
        return json_response(HealthStatus("ok", checks, instance_id()))


async def _state(question: Awaitable[object]) -> str:
    try:
        async with asyncio.timeout(ANSWER_S):
            await question
    except Rebuilding:
        return "rebuilding"
    except (*StoreOutage, TimeoutError):
        return "unavailable"
    return "ok"
