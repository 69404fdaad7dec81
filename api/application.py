"""The application for servers that start several processes: each opens a house of its own."""

from collections.abc import Awaitable, Callable
from typing import Any

from api.app import create_app
from runtime.house import open_house
from runtime.logging import set_up_logging
from runtime.settings import load_settings

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Application:
    """An ASGI application that opens its house at start-up, on the loop that will serve it."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and self._app is None:
            settings = load_settings()
            set_up_logging(settings.log_level)
            async with open_house(settings) as house:
                self._app = create_app(house)
                await self._app(scope, receive, send)
            return
        await self._app(scope, receive, send)


def application() -> Application:
    """Return a new application; the server calls this in each of its processes."""
    return Application()
