"""HTTP route of the metrics, in the text format of Prometheus."""

from ipaddress import ip_address

from litestar import Controller, get
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from api.http.parameters import shows_file
from api.http.policy import public
from api.http.problem import not_found
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from domain.base import NotFound
from runtime.health.metrics import render_metrics


class MetricsController(Controller):
    """The metrics of this process."""

    tags = ("Operations",)

    @get(
        "/metrics",
        opt=public(fails=(NotFound,)),
        responses=shows_file("Metrics in the format of Prometheus", "text/plain"),
    )
    async def get_metrics(self, request: ApiRequest) -> ApiResponse:
        """Report the metrics of the API, to callers on this machine or in METRICS_NETWORKS.

        Its processes (API_WORKERS) count together. `project` and `work` have a port of their own,
        METRICS_PORT.

        The text format of Prometheus, version 0.0.4. Everybody else gets 404.
        """
        system = request.api.system
        refuse_strangers(request)
        await request.api.monitor.look()
        monitor = request.api.monitor
        page = render_metrics(monitor, system.clock, monitor.shared)
        return ApiResponse(page, content_type=CONTENT_TYPE_LATEST.encode())


def refuse_strangers(request: ApiRequest) -> None:
    """Refuse everybody except the configured scrapers.

    A request that a proxy forwarded for an unknown client, as its headers show, is refused as well.

    :raises Problem: 404.
    """
    allowed = request.api.system.settings.metrics_networks
    client = request.client_info
    forwarded = client.header(b"x-forwarded-for") or client.header(b"forwarded")
    if forwarded or client.ip is None:
        raise not_found()
    if not any(ip_address(client.ip) in network for network in allowed):
        raise not_found()
