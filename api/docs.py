"""HTTP routes of the API description and of an interactive page that works offline."""

from functools import cache
from pathlib import Path

from litestar import Controller, get

from api.http.policy import public
from api.http.request import ApiRequest
from api.http.response import ApiResponse

STATIC = Path(__file__).parent / "static"

_CSP = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    b"img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_KINDS = {
    "docs.html": b"text/html; charset=utf-8",
    "docs.js": b"text/javascript; charset=utf-8",
    "swagger-ui/swagger-ui-bundle.js": b"text/javascript; charset=utf-8",
    "swagger-ui/swagger-ui.css": b"text/css; charset=utf-8",
}


class DocsController(Controller):
    """The OpenAPI description and the documentation page."""

    path = "/api"
    include_in_schema = False

    @get("/openapi.json", opt=public())
    async def description(self, request: ApiRequest) -> ApiResponse:
        """Return the OpenAPI 3.1 description of this API."""
        return ApiResponse(request.api.description())

    @get("/docs", opt=public())
    async def page(self, request: ApiRequest) -> ApiResponse:
        """Return the documentation page."""
        return _file("docs.html")

    @get("/docs/docs.js", opt=public())
    async def script(self, request: ApiRequest) -> ApiResponse:
        """Return the script of the page."""
        return _file("docs.js")

    @get("/docs/swagger-ui-bundle.js", opt=public())
    async def swagger_ui(self, request: ApiRequest) -> ApiResponse:
        """Return Swagger UI, which shows the description."""
        return _file("swagger-ui/swagger-ui-bundle.js")

    @get("/docs/swagger-ui.css", opt=public())
    async def style(self, request: ApiRequest) -> ApiResponse:
        """Return the style sheet of Swagger UI."""
        return _file("swagger-ui/swagger-ui.css")


def _file(name: str) -> ApiResponse:
    headers = [(b"content-security-policy", _CSP)]
    return ApiResponse(_content(name), content_type=_KINDS[name], headers=headers)


@cache
def _content(name: str) -> bytes:
    return (STATIC / name).read_bytes()
