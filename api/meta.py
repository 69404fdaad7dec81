"""HTTP for what clients need to know beforehand: values of enumerations, public keys."""

from typing import Any

from litestar import Controller, get

from api.answer import Answer, json_answer
from api.asking import Asking
from api.policy import public
from api.route import shows
from domain.enums import ENUMS

_VALUES = {name: [value.value for value in kind] for name, kind in ENUMS.items()}


class MetaController(Controller):
    """Facts about the API itself."""

    tags = ("Meta",)

    @get("/api/meta/enums", opt=public(), responses=shows(dict[str, list[str]]))
    async def enums(self, request: Asking) -> Answer:
        """List the values of every enumeration, by its name."""
        return json_answer(_VALUES)

    @get("/.well-known/jwks.json", opt=public(), responses=shows(dict[str, Any]))
    async def jwks(self, request: Asking) -> Answer:
        """Return the public keys that access tokens are signed with (RFC 7517)."""
        return json_answer(request.door.jwks)
