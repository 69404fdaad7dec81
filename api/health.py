"""HTTP routes of the health checks."""

from litestar import Controller, get
from msgspec import Struct

from api.http.parameters import shows
from api.http.policy import public
from api.http.problem import Problem
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from runtime.health.instance import instance_id


class HealthStatus(Struct, frozen=True):
    """The health of the process and of each store it needs."""

    status: str
    """``ok``, or ``degraded`` if something that requests do not need is slow or waiting."""
    checks: dict[str, str]
    """Each store and follower: ``ok``, or what is wrong with it."""
    behind: dict[str, int]
    """How many events each follower has not processed yet."""
    instance: str
    """The instance that answers, so that ``up`` recognises its own."""


class HealthController(Controller):
    """Liveness and readiness checks."""

    tags = ("Operations",)

    @get(["/api/health", "/health"], opt=public(), responses=shows(HealthStatus))
    async def get_health(self, request: ApiRequest) -> ApiResponse:
        """Report that the process is alive, without checking its stores."""
        return json_response(HealthStatus("ok", {}, {}, instance_id()))

    @get(
        ["/api/health/ready", "/health/ready"],
        opt=public(fails=((503, "not_ready"),)),
        responses=shows(HealthStatus),
    )
    async def get_readiness(self, request: ApiRequest) -> ApiResponse:
        """Report whether commands are recorded and reads are current; name what is not, and why.

        503 if the log cannot be read or written, or the read models cannot be read or stand still.
        Without Redis, and while deliveries wait, the system is only `degraded`.
        """
        report = await request.api.monitor.readiness()
        if not report.ready:
            raise Problem(
                503,
                "not_ready",
                "The system is not ready. See `checks` and `behind`.",
                details={
                    "checks": report.checks,
                    "behind": report.behind,
                    "instance": instance_id(),
                },
                headers={"retry-after": "2"},
            )
        status = "ok" if set(report.checks.values()) <= {"ok"} else "degraded"
        return json_response(HealthStatus(status, report.checks, report.behind, instance_id()))
