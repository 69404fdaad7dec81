"""Remembered heads: the versions that this process's last commit left, which need no reading.

Every append that writes an event moves the position of the log, and the next one reads that
position under the lock. If it is still the one that our last commit left, nobody else has written
an event since, and the heads in memory are the newest.

What each commit has changed is kept for a while, too: readers take it over and do not read again.

Only for a log of one partition: elsewhere an append also checks streams that it does not lock.
"""

from collections import deque
from collections.abc import Sequence

from eventstore.engine.settle import Heads, Settled
from eventstore.store import Mark, OwnCommit

STREAMS_MAX = 50_000
"""Streams whose versions are kept: about 10 MB."""

COMMITS_MAX = 64
"""Commits that are kept until somebody asks; of more than these, everything is read again."""


class RememberedHeads:
    """The newest versions of the streams that this process wrote to or checked.

    A batch takes them out while it uses and changes them, and gives them back once it is
    committed; if it is not, they are gone.
    """

    def __init__(self) -> None:
        self._kept = deque[Heads](maxlen=1)  # safe to use from several threads
        self._left = -1

    def take(self) -> tuple[Heads, int] | None:
        """Return what is kept, and the position at which the log must be for it to hold."""
        try:
            kept = self._kept.pop()
        except IndexError:
            return None
        heads = Heads(kept.parts)
        heads.streams, heads.organizations = kept.streams, kept.organizations
        return heads, kept.positions[0]

    def keep(self, heads: Heads) -> None:
        """Keep what a batch left, once it is committed.

        Not if another process has written since our last commit: as long as it goes on, it would
        be read in vain.
        """
        alone, self._left = heads.began == self._left, heads.positions[0]
        if alone and len(heads.streams) <= STREAMS_MAX:
            self._kept.append(heads)

    def forget(self) -> None:
        """Keep nothing: a new connection may lead to a database that was restored."""
        self._kept.clear()
        self._left = -1


class OwnCommits:
    """The last commits, once somebody has asked; one thread adds them, another takes them."""

    def __init__(self) -> None:
        self._commits = deque[OwnCommit](maxlen=COMMITS_MAX)
        self._is_asked = False

    def add(self, settled: Settled) -> None:
        """Add a commit, once it is durable."""
        if not self._is_asked or settled.heads.parts > 1 or not settled.positions:
            return  # nobody asks, at least not there, or it recorded no event
        rows = [row for append in settled.admitted for row in append.rows]
        self._commits.append(
            OwnCommit(
                settled.heads.began,
                settled.positions[0],
                {row.stream_id.int: row.version for row in rows},
                {row.org_id.int: row.position for row in rows},
                {(count.within.int, count.scope): n for count, n in settled.counts.items()},
            )
        )

    def take(self, since: Mark, until: Mark) -> Sequence[OwnCommit] | None:
        """Return the commits between two marks; None if others wrote there, or it is too long ago.

        Those before are forgotten.
        """
        self._is_asked = True
        if len(since) != 1 or len(until) != 1:
            return None
        at, [end] = since[0], until
        taken: list[OwnCommit] = []
        while at < end:
            try:
                commit = self._commits.popleft()
            except IndexError:
                return None
            if commit.began == at:
                taken.append(commit)
                at = commit.left
            elif commit.left > at:
                return None
        return taken if at == end else None
