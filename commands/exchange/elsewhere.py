"""Tasks of other projects that the relations of a file name, if whoever imports sees them."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from commands.base import Context
from commands.claims.exchange import external_id_claim
from commands.exchange.content_line import RelationLine
from commands.exchange.names import uuid_in
from commands.happening import Fingerprint
from commands.project_claims import project_key_claim
from commands.reads import AheadReads
from commands.reservations import task_number_claim
from commands.work.task import read_task, refuse_unless_sees_task
from domain.base import NotFound, OrgId, TaskId
from eventstore.claim import ClaimKey

_TASK_KEY = re.compile(r"([A-Z][A-Z0-9]{1,9})-([1-9][0-9]{0,8})", re.ASCII)


class _Place(NamedTuple):
    """A project by a key that it has or had, and the number of a task in it if that is named."""

    project_key: str
    number: int | None


class Elsewhere:
    """The claims on what some relations name outside their project, as they were looked up."""

    def __init__(self, org_id: OrgId, fingerprint: Fingerprint) -> None:
        self._org_id, self._fingerprint = org_id, fingerprint
        self._held: dict[ClaimKey, UUID] = {}

    async def look_up(self, read: AheadReads, lines: Iterable[RelationLine]) -> None:
        """Look up what *lines* name that can be in other projects, with two queries at most."""
        named = [(line, place) for line in lines if (place := _place_of(line)) is not None]
        projects = dict.fromkeys(self._project(place) for _, place in named)
        self._held.update(await self._holders(read, projects))
        claims = [claim for line, place in named for claim in self._claims(line.to, place)]
        self._held.update(await self._holders(read, dict.fromkeys(claims)))

    async def task(self, read: AheadReads, context: Context, line: RelationLine) -> TaskId | None:
        """Return the task of another project that *line* is about, None if it names none.

        It is found by its external id in the project that is named, by its own id, or by its key.
        One that the caller does not see, or that is in the trash, is not told from none.
        """
        found = self._named(line)
        if found is None:
            return None
        try:
            await refuse_unless_sees_task(read, context, found)
            await read_task(read, found)
        except NotFound:
            return None
        return found

    def _named(self, line: RelationLine) -> TaskId | None:
        place = _place_of(line)
        claims = [] if place is None else self._claims(line.to, place)
        held = next((self._held[claim] for claim in claims if claim in self._held), None)
        own = held or uuid_in(line.to)
        return None if own is None else TaskId(own)

    def _claims(self, named: str, place: _Place) -> list[ClaimKey]:
        """Return the claims that a task can have in its project, if that is there."""
        project_id = self._held.get(self._project(place))
        if project_id is None:
            return []
        known_as = external_id_claim(self._fingerprint, self._org_id, project_id, named)
        if place.number is None:
            return [known_as]
        return [known_as, task_number_claim(self._org_id, project_id, place.number)]

    def _project(self, place: _Place) -> ClaimKey:
        return project_key_claim(self._org_id, place.project_key)

    async def _holders(
        self, read: AheadReads, claims: Iterable[ClaimKey]
    ) -> Mapping[ClaimKey, UUID]:
        wanted = list(claims)
        return await read.holders(wanted) if wanted else {}


def _place_of(line: RelationLine) -> _Place | None:
    """Return the project that a line names, or that the key of the task in it begins with."""
    key = _TASK_KEY.fullmatch(line.to)
    if line.to_project is None:
        return None if key is None else _Place(key[1], int(key[2]))
    is_its = key is not None and key[1] == line.to_project
    return _Place(line.to_project, int(key[2]) if key is not None and is_its else None)
