"""The server of the flood test: the protocol and the edge as they are, and nothing behind them."""

from typing import Any

from litestar import Litestar

from api.deadline import Deadline
from api.http.access_log import AccessLog
from api.http.cors import Cors
from api.http.edge import Edge
from api.http.policy import AllowedMethods, StreamingRoutes


async def _empty(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


_routes = Litestar([], openapi_config=None)
application = Edge(
    _empty,
    cors=Cors(()),
    trusted_proxies=(),
    access_log=AccessLog(enabled=False),
    allowed=AllowedMethods(_routes),
    streaming=StreamingRoutes(_routes),
    deadline=Deadline(5.0),
)
