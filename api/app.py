"""The application: all routes, the guard in front of each, and the edge around them."""

import msgspec
from litestar import Litestar
from litestar.types import ControllerRouterHandler

from api.audit import AuditController
from api.description.openapi import describe
from api.docs import DocsController
from api.health import HealthController
from api.hooks.delivery import DeliveryController
from api.hooks.webhook import WebhookController
from api.http.access_log import AccessLog
from api.http.cors import Cors
from api.http.edge import Edge
from api.http.errors import answer_error
from api.http.guard import guard
from api.http.policy import AllowedMethods, refuse_without_policy
from api.http.request import ApiRequest
from api.http.state import ApiState
from api.identity.account import AccountController
from api.identity.auth import AuthController
from api.identity.member import MemberController
from api.identity.organization import OrganizationController
from api.meta import MetaController
from api.metrics import MetricsController
from api.work.project import ProjectController
from api.work.task import ProjectTaskController, TaskController
from projections.engine.progress import Progress
from runtime.setting import LogLevel
from runtime.system import System

ROUTES: list[ControllerRouterHandler] = [
    AuthController,
    AccountController,
    OrganizationController,
    MemberController,
    ProjectController,
    ProjectTaskController,
    TaskController,
    WebhookController,
    DeliveryController,
    AuditController,
    MetaController,
    HealthController,
    MetricsController,
    DocsController,
]


def create_app(system: System, progress: Progress | None = None) -> Litestar:
    """Return the ASGI application for an open *system*.

    A process that also runs the projector passes its own *progress*, so that readers see at once
    how far the read models are.

    :raises PolicyMissing: a route has no policy.
    """
    api = ApiState(system, lambda: msgspec.json.encode(describe(ROUTES)), progress)
    settings = system.settings
    access_log = AccessLog(enabled=settings.log_level in (LogLevel.DEBUG, LogLevel.INFO))
    app = Litestar(
        ROUTES,
        request_class=type("BoundRequest", (ApiRequest,), {"__slots__": (), "api": api}),
        before_request=guard,
        exception_handlers={Exception: answer_error},
        on_startup=[api.monitor.start],
        on_shutdown=[api.monitor.stop, access_log.flush],
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    refuse_without_policy(app, guard)
    app.asgi_handler = Edge(
        app.asgi_handler,
        cors=Cors(settings.cors_origins),
        trusted_proxies=settings.trusted_proxies,
        access_log=access_log,
        allowed=AllowedMethods(app),
    )
    return app
