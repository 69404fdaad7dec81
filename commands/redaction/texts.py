"""Finds which events of a thing say a text, and whether the thing still does."""

from collections.abc import Collection
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from domain.base import ERASED, Event, NotFound, OrgId, State
from domain.catalog import EVENT_TYPES, state_of
from domain.redaction import NoSuchText, RedactedTexts, TextOfPerson
from eventstore.append import Redacted
from eventstore.codec import PERSONAL, Cipher, decode_event, event_values, left_of
from eventstore.engine.turns import STREAM_PIECE
from eventstore.keys import key_owner_in
from eventstore.log import EventLog
from eventstore.recorded import Row


class SaidTexts(Struct, frozen=True, kw_only=True):
    """Where the events of *stream*, up to *version*, say some texts.

    ``left`` is what is left of the sealed values of these events without them. ``in_use`` says
    whether the state of the stream would be another one without them.
    """

    kind: type[State]
    stream: UUID
    version: int
    texts: tuple[RedactedTexts, ...]
    left: tuple[Redacted, ...]
    in_use: bool


class EventTexts(Struct, frozen=True, kw_only=True):
    """What *fields* of an organization's event say, all of its texts if none are named."""

    log: EventLog
    org_id: OrgId
    seq: int
    fields: tuple[str, ...] = ()

    async def event(self) -> Row:
        """Return the event.

        :raises NotFound: there is none.
        :raises NoSuchText: it has no such field, or no text at all.
        :raises TextOfPerson: its texts are sealed with the key of a person or of an invitation.
        """
        rows = await self.log.organization_at(self.org_id, [self.seq])
        if not rows:
            raise NotFound
        [row] = rows
        texts = _texts_of(row)
        if not texts or not set(self.fields) <= set(texts):
            raise NoSuchText(has=texts)
        if not _is_sealed_here(row):
            raise TextOfPerson
        return row

    async def said(self, event: Row) -> SaidTexts:
        """Find where *event* and the others of its stream say it now."""
        await self.log.fetch_keys({event.stream_id: self.org_id})
        cipher = self.log.keys.cached(event.stream_id)
        values = event_values(event, cipher)
        named = self.fields or _texts_of(event)
        wanted = {values[each][1] for each in named if each in values}
        return await _said(self.log, event, cipher, wanted - {""})


def _is_sealed_here(row: Row) -> bool:
    """Return whether the key of its stream seals the texts of an event, not that of a person."""
    return key_owner_in(row)[0] == row.stream_id


def _texts_of(row: Row) -> list[str]:
    return [*PERSONAL[EVENT_TYPES[row.tag]].attributes]


async def _said(
    log: EventLog, of: Row, cipher: Cipher | None, wanted: Collection[str]
) -> SaidTexts:
    """Find the texts *wanted* in all events of the stream that *of* is in."""
    kind = state_of(EVENT_TYPES[of.tag])
    state: State = kind()
    without: State = state
    version = 0
    texts: list[RedactedTexts] = []
    left: list[Redacted] = []
    while True:
        async with log.turns:
            rows = await log.stream_rows(of.stream_id, of.org_id, version, STREAM_PIECE)
            for row in rows:
                own = cipher if _is_sealed_here(row) else None
                event = decode_event(row, own)
                values = event_values(row, own)
                gone = tuple(each for each, (_, text) in values.items() if text in wanted)
                state = state.evolve(event)
                without = without.evolve(_without(event, gone))
                if gone and cipher is not None:
                    texts.append(RedactedTexts(row.org_seq, gone))
                    private = left_of(row, cipher, gone)
                    left.append(Redacted(of.stream_id, row.version, private))
        if len(rows) < STREAM_PIECE:
            break
        version = rows[-1].version
    return SaidTexts(
        kind=kind,
        stream=of.stream_id,
        version=rows[-1].version if rows else version,
        texts=tuple(texts),
        left=tuple(left),
        in_use=state != without,
    )


def _without(event: Event, gone: Collection[str]) -> Event:
    """Return *event* as it reads once some of its texts are gone."""
    if not gone:
        return event
    names = PERSONAL[type(event)].attributes
    return replace(event, **{names[each]: ERASED for each in gone})
