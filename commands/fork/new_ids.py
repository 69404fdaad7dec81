"""The ids that things have in the fork of an organization, and events with these ids.

An id is moved by a number that is the fork's own. So ids keep their order, by which lists break
ties and relations are stored, and the same thing has the same id when a fork goes on that was
interrupted. An id that is made from others is made again from theirs.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID, uuid5

import msgspec

from domain.base import Event, OrgId
from domain.undo import ChangesUndone

_SHIFT_BITS = 40
"""So few that adding the number hardly ever changes a bit that says what kind of UUID it is."""
_ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_encode = msgspec.json.Encoder().encode


def fork_id(org_id: OrgId, subdomain: str, number: int) -> OrgId:
    """Return the id of the fork that is made under *subdomain*; *number* counts such forks."""
    return OrgId(uuid5(org_id, f"fork {number} as {subdomain}"))


@lru_cache(None)
def _decoder(kind: type[Event]) -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(kind)


class NewIds:
    """The new id of everything that is copied; all other ids stay, as those of people."""

    def __init__(self, org_id: OrgId, fork: OrgId) -> None:
        self.org_id, self.fork = org_id, fork
        self._shift = fork.int % (1 << _SHIFT_BITS)
        self._known: set[int] = set()
        self._made: dict[int, UUID] = {org_id.int: fork}

    def add(self, streams: Iterable[UUID]) -> None:
        """Give new ids to *streams*."""
        self._known.update(each.int for each in streams)

    def make(self, stream: UUID, made: UUID) -> None:
        """Let *stream*, of which the id is made from others, have the id *made* from theirs."""
        self._made[stream.int] = made

    def of(self, old: UUID) -> UUID:
        """Return the new id of what had the id *old*; *old* itself if it is not copied."""
        return self._of(old.int) or old

    def copies(self, stream: UUID) -> bool:
        """Return whether *stream* is copied."""
        return stream.int in self._known

    def event(self, event: Event) -> Event:
        """Return *event* with the new ids, in its texts too."""
        if isinstance(event, ChangesUndone):  # its correlation id is that of envelopes, which stay
            return event
        before = _encode(event)
        after = _ID.sub(self._rewritten, before)
        return event if after == before else _decoder(type(event)).decode(after)

    def _of(self, old: int) -> UUID | None:
        made = self._made.get(old)
        if made is None and old in self._known:
            made = UUID(int=old + self._shift & (1 << 128) - 1)
        return made

    def _rewritten(self, found: re.Match[bytes]) -> bytes:
        new = self._of(int(found[0].replace(b"-", b""), 16))
        return found[0] if new is None else str(new).encode()
