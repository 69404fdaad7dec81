"""What an append has to read before it is settled, and what it need not read."""

from collections.abc import Container, Iterator, Sequence
from uuid import UUID

from domain.base import OrgId
from eventstore.append import Append
from eventstore.claim import ClaimKey, CountKey

LARGE = 250
"""Events of one command by which it is large: 85 tasks whose three fields change."""


def streams_to_look_up(
    appends: Sequence[Append], known: Container[int], *, every: bool
) -> dict[UUID, OrgId]:
    """Return the streams whose heads must be read before settling, with their owners.

    Those that are *known* (by the integers of their ids), that a command expects to be new, or that
    an earlier command in the batch writes to, are left out unless *every* is true. This is right
    while the whole batch is accepted; if a stream is not new after all, the unique index refuses
    the batch.
    """
    streams: dict[UUID, OrgId] = {}
    written: set[int] = set()
    for append in appends:
        writes: set[int] | None = None
        for stream, version in append.expects.items():
            asked = stream.int
            if asked in known or stream in streams:
                continue
            if writes is None:
                writes = {row.stream_id.int for row in append.rows}
            if every or not ((version == 0 and asked in writes) or asked in written):
                streams[stream] = append.owner(stream)
        if writes is not None:
            written |= writes
    return streams


def heads_to_trust(appends: Sequence[Append]) -> Iterator[tuple[int, int]]:
    """Yield the versions, by integers of ids, that large commands expect of what they write to.

    To read a thousand of them would take as long as half of adding the events. If one is not the
    newest, the unique index refuses the batch.
    """
    for append in appends:
        if len(append.rows) >= LARGE:
            writes = {row.stream_id.int for row in append.rows}
            expected = ((stream.int, version) for stream, version in append.expects.items())
            yield from (head for head in expected if head[0] in writes)


def organizations_of(appends: Sequence[Append]) -> list[OrgId]:
    """Return the organizations that get an event, each once."""
    return list({row.org_id.int: row.org_id for a in appends for row in a.rows}.values())


def claims_of(appends: Sequence[Append]) -> list[ClaimKey]:
    """Return the claims that are taken or released, each once; open numbers are always new."""
    return list(dict.fromkeys(change.claim for append in appends for change in append.claims))


def counts_of(appends: Sequence[Append]) -> list[CountKey]:
    """Return the counts that are changed, checked or numbered from, each once."""
    found: dict[CountKey, None] = {}
    for append in appends:
        for change in append.counts:
            found[change.count] = None
            for each in change.times:
                found[each] = None
        for number in append.numbers:
            found[number.count] = None
    return list(found)
