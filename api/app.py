"""The application: every route, its guard, and the edge around them all."""

import msgspec
from litestar import Litestar
from litestar.types import ControllerRouterHandler

from api.access_log import AccessLog
from api.account import AccountController
from api.asking import Asking, guard
from api.audit import AuditController
from api.auth import AuthController
from api.cors import Cors
from api.delivery import DeliveryController
from api.docs import DocsController
from api.door import Door
from api.edge import Edge
from api.errors import answer_error
from api.health import HealthController
from api.member import MemberController
from api.meta import MetaController
from api.openapi import describe
from api.organization import OrganizationController
from api.policy import refuse_without_policy
from api.project import ProjectController
from api.task import ProjectTaskController, TaskController
from api.webhook import WebhookController
from projections.progress import Progress
from projections.queries import Queries
from runtime.house import House

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
    DocsController,
]


def create_app(
    house: House, queries: Queries | None = None, progress: Progress | None = None
) -> Litestar:
    """Return the ASGI application of an open *house*.

    A process that also projects hands in its own *queries* and *progress*, so that readers know
    at once how far the read models are.

    :raises PolicyMissing: a route does not say who may use it.
    """
    door = Door(house, lambda: msgspec.json.encode(describe(ROUTES)), queries, progress)
    settings = house.settings
    access_log = AccessLog(enabled=settings.log_level.upper() in ("DEBUG", "INFO"))
    app = Litestar(
        ROUTES,
        request_class=type("Asking", (Asking,), {"__slots__": (), "door": door}),
        before_request=guard,
        exception_handlers={Exception: answer_error},
        on_shutdown=[access_log.flush],
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
    )
    return app
