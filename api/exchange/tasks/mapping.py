"""What the names of a foreign file stand for."""

from collections.abc import Iterable
from collections.abc import Mapping as Names
from typing import Any, cast

import msgspec
from msgspec import Struct

from api.http.problem import FieldError, invalid

MAPPING_MAX = 8_000


class Mapping(Struct, frozen=True, forbid_unknown_fields=True):
    """Names in the file, and what they are here.

    ``columns`` are columns of a table, or members of each line in JSON; ``people`` stand for
    addresses, ``statuses`` for keys of statuses, ``priorities`` for priorities, and ``projects``
    for keys of the projects that relations lead to.
    """

    columns: dict[str, str] = {}
    people: dict[str, str] = {}
    statuses: dict[str, str] = {}
    priorities: dict[str, str] = {}
    projects: dict[str, str] = {}

    def value(self, name: str, given: Any) -> Any:
        """Return the value of the member *name* as it is here."""
        known = self._known(name)
        if known is None or not known:
            return given
        if isinstance(given, list):
            several = cast("Iterable[Any]", given)
            return [known.get(each, each) if isinstance(each, str) else each for each in several]
        return known.get(given, given) if isinstance(given, str) else given

    def _known(self, name: str) -> Names[str, str] | None:
        match name:
            case "assignees" | "author" | "mentions":
                return self.people
            case "status":
                return self.statuses
            case "priority":
                return self.priorities
            case "toProject":
                return self.projects
            case _:
                return None


_decode = msgspec.json.Decoder(Mapping).decode


def mapping_in(text: str | None) -> Mapping:
    """Return the mapping that a request gives as JSON.

    :raises Problem: it is none.
    """
    if text is None:
        return Mapping()
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise invalid(FieldError("mapping", f"Expected a mapping in JSON: {error}")) from None
