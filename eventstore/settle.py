"""Decide, under the table lock, what each of many commands of one commit may write.

Pure: the caller has read the heads inside the transaction, so the verdicts are exact. Commands
are settled in the order in which they came; each sees what the ones before it write.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from domain.base import OrgId
from eventstore.append import AlreadyDone, Append, Appended, Conflict, Outcome
from eventstore.recorded import Row


class Heads:
    """The newest versions and sequences, kept current while a batch is settled."""

    def __init__(
        self,
        streams: dict[UUID, int],
        organizations: dict[OrgId, int],
        position: int,
    ) -> None:
        self.streams = streams
        self.organizations = organizations
        self.position = position

    def admit(self, row: Row) -> None:
        """Give *row* its position and its place in the sequence of its organization."""
        self.position += 1
        row.position = self.position
        row.org_seq = self.organizations.get(row.org_id, 0) + 1
        self.organizations[row.org_id] = row.org_seq
        self.streams[row.stream_id] = row.version


class Settled:
    """One outcome a command, and the commands that write."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.admitted: list[Append] = []

    @property
    def has_conflicts(self) -> bool:
        return len(self.admitted) < len(self.outcomes)


def settle(
    appends: Sequence[Append],
    heads: Heads,
    *,
    done: Mapping[UUID, int],
    held_keys: frozenset[UUID] | set[UUID],
) -> Settled:
    """Admit or refuse each command.

    *done* maps the ids of commands recorded before to their positions; *held_keys* are the
    subjects among the new keys that have a key already (somebody else sealed with it first).
    """
    settled = Settled()
    known, held = dict(done), set(held_keys)
    for append in appends:
        outcome = _verdict(append, heads, known, held)
        if outcome is None:
            for row in append.rows:
                heads.admit(row)
            outcome = Appended(heads.position)
            settled.admitted.append(append)
            known[append.command_id] = heads.position
            held.update(append.keys)
        settled.outcomes.append(outcome)
    return settled


def _verdict(
    append: Append, heads: Heads, known: Mapping[UUID, int], held: set[UUID]
) -> Outcome | None:
    if append.command_id in known:
        return AlreadyDone(known[append.command_id])
    streams = heads.streams
    for stream, version in append.expects.items():
        if streams.get(stream, 0) != version:
            return Conflict(stream)
    for subject in append.keys:
        if subject in held:
            return Conflict(subject)
    return None


def streams_to_look_up(appends: Sequence[Append], *, every: bool) -> list[UUID]:
    """Return the streams whose heads must be read before settling, each once.

    Those that a command expects to be new, or that one before it in the batch writes to, are
    left out unless *every* is asked for: that holds while all of the batch is admitted, and the
    unique index refuses the batch if a stream was not new after all.
    """
    streams: dict[UUID, None] = {}
    written: set[UUID] = set()
    for append in appends:
        writes = {row.stream_id for row in append.rows}
        for stream, version in append.expects.items():
            if every or not ((version == 0 and stream in writes) or stream in written):
                streams[stream] = None
        written |= writes
    return list(streams)


def every_organization(appends: Sequence[Append]) -> list[OrgId]:
    """Return each organization that gets an event, once."""
    return list(dict.fromkeys(row.org_id for append in appends for row in append.rows))
