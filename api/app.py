"""The application: all routes, the guard in front of each, and the edge around them."""

from importlib import import_module
from pkgutil import walk_packages

import msgspec
from litestar import Controller, Litestar
from litestar.datastructures import State
from litestar.types import ControllerRouterHandler

from api import exchange, hooks, identity, planning, work
from api.audit import AuditController
from api.audit_proof import AuditProofController
from api.deadline import Deadline, deadline_of
from api.description.openapi import describe
from api.docs import DocsController
from api.exchange.event import LIVE
from api.exchange.live.follower import Live
from api.exchange.tasks.resuming import InterruptedImports
from api.health import HealthController
from api.http.access_log import AccessLog
from api.http.cors import Cors
from api.http.edge import Edge
from api.http.guard import guard
from api.http.policy import AllowedMethods, StreamingRoutes, refuse_without_policy
from api.http.request import ApiRequest
from api.http.state import ApiState
from api.mailbox import MailboxController
from api.meta import MetaController
from api.metrics import MetricsController
from api.redaction import RedactionController
from api.routing import Routing
from projections.engine.progress import Progress
from runtime.setting import LogLevel
from runtime.system import System

_RESOURCES = [
    import_module(found.name)
    for area in (exchange, hooks, identity, planning, work)
    for found in walk_packages(area.__path__, f"{area.__name__}.")
]

ROUTES: list[ControllerRouterHandler] = [
    *(
        item
        for module in _RESOURCES
        for item in vars(module).values()
        if isinstance(item, type)
        if issubclass(item, Controller) and item.__module__ == module.__name__
    ),
    AuditController,
    AuditProofController,
    RedactionController,
    MailboxController,
    MetaController,
    HealthController,
    MetricsController,
    DocsController,
]
"""Every controller in a module of the areas, and those beside them."""


def create_app(system: System, progress: Progress | None = None) -> Litestar:
    """Return the ASGI application for an open *system*.

    A process that also runs the projector passes its own *progress*, so that readers see changes
    in the read models at once.

    :raises PolicyMissing: a route has no policy.
    """
    api = ApiState(system, lambda: msgspec.json.encode(describe(ROUTES)), progress)
    live = Live(system)
    access_log = AccessLog(enabled=system.settings.log_level in (LogLevel.DEBUG, LogLevel.INFO))
    request_class = type("BoundRequest", (ApiRequest,), {"__slots__": (), "api": api})
    interrupted = InterruptedImports(request_class)
    app = Litestar(
        ROUTES,
        request_class=request_class,
        before_request=guard,
        on_startup=[api.monitor.start, interrupted.start],
        on_shutdown=[
            live.close,
            interrupted.close,
            api.background.close,
            api.monitor.stop,
            api.exports.close,
            api.key_uses.close,
            api.files.close,
            access_log.flush,
        ],
        state=State({LIVE: live}),
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    refuse_without_policy(app, guard)
    app.asgi_handler = _edge(app, Routing(app, request_class), system, access_log)
    return app


def _edge(app: Litestar, routing: Routing, system: System, access_log: AccessLog) -> Edge:
    settings = system.settings
    return Edge(
        routing,
        cors=Cors(settings.cors_origins),
        trusted_proxies=settings.trusted_proxies,
        access_log=access_log,
        allowed=AllowedMethods(app),
        deadline=Deadline(deadline_of(settings), system.passwords.is_awaited_by),
        streaming=StreamingRoutes(app),
    )
