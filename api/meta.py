"""HTTP routes of what clients need to know up front: enumeration values and public keys."""

from typing import Any

from litestar import Controller, get

from api.http.parameters import shows
from api.http.policy import public
from api.http.request import ApiRequest
from api.http.response import ApiResponse, json_response
from domain.enums import ENUMS

ENUM_VALUES = {name: [value.value for value in kind] for name, kind in ENUMS.items()}
"""The values of every enumeration by its name."""


class MetaController(Controller):
    """Enumerations and keys of the API."""

    tags = ("Meta",)

    @get("/api/meta/enums", opt=public(), responses=shows(dict[str, list[str]]))
    async def list_enums(self, request: ApiRequest) -> ApiResponse:
        """List the values of every enumeration by its name."""
        return json_response(ENUM_VALUES)

    @get("/.well-known/jwks.json", opt=public(), responses=shows(dict[str, Any]))
    async def list_token_keys(self, request: ApiRequest) -> ApiResponse:
        """Return the public keys that verify access tokens (RFC 7517)."""
        return json_response(request.api.jwks)
