"""Claims and counts computed from the events alone, compared with the rows next to the log."""

from collections.abc import Iterator
from typing import Any, TypeVar
from uuid import UUID

from commands.happening import Happening, Reservations
from commands.label_claims import LABEL_NAME
from commands.lint.finding import LintFinding
from commands.lint.unknowable import EXTERNAL, is_unknowable
from commands.reservations import EMAIL, TASK_NUMBER, note
from domain.base import PLATFORM
from domain.planning.worklog import WorklogPurged
from domain.work.attachment import AttachmentPurged
from domain.work.comment import CommentPurged
from domain.work.task.trash_events import TaskPurged
from eventstore.claim import ClaimChange, CountChange, Held
from eventstore.partition import partition_of

ClaimRow = tuple[str, UUID, bytes]
CountRow = tuple[str, UUID]
K = TypeVar("K", ClaimRow, CountRow)


_PURGED = TaskPurged | CommentPurged | AttachmentPurged | WorklogPurged


class ExpectedTables:
    """What the rows of each partition should be."""

    def __init__(self, parts: int) -> None:
        self._parts = parts
        self.claims: list[dict[ClaimRow, Held]] = [{} for _ in range(parts)]
        self.counts: list[dict[CountRow, int]] = [{} for _ in range(parts)]
        self._purged: set[UUID] = set()
        self._platform: list[tuple[int, int, int, ClaimChange]] = []
        self._latest = [0] * parts

    def happen(self, happened: Happening, position: int) -> Iterator[str]:
        """Apply one event; yield the claims and counts that it should not have got."""
        if isinstance(happened.event, _PURGED):
            self._purged.add(happened.stream)
        reserved = Reservations([], [])
        note(happened, reserved)
        part = partition_of(happened.org_id, self._parts)
        for change in reserved.claims:
            if is_unknowable(happened, change.claim):
                continue  # its claim is gone
            if change.claim.org_id == PLATFORM:  # may come from any partition: compared by time
                # Clocks differ, but what one partition has recorded is in order.
                self._latest[part] = latest = max(self._latest[part], happened.at)
                self._platform.append((latest, part, position, change))
            elif not self._claim(change, happened.at):
                yield f"the {change.claim.scope} is already taken"
        for counted in reserved.counts:
            yield from self._count(counted)

    def finish(self) -> Iterator[LintFinding]:
        """Check what is unique across partitions; yield what was taken twice."""
        for at, part, position, change in sorted(self._platform, key=lambda claimed: claimed[:3]):
            if not self._claim(change, at):
                what = f"the {change.claim.scope} is already taken"
                yield LintFinding(part, position, what)

    def compare(
        self, part: int, claims: dict[ClaimRow, Held], counts: dict[CountRow, int]
    ) -> Iterator[LintFinding]:
        """Yield how the rows of a partition differ from what they should be."""
        for (scope, *rest), expected, found in _differing(self.claims[part], claims):
            if scope in EXTERNAL and found is not None and found.holder in self._purged:
                continue  # taken for good, although nobody knows any more what it is
            value = "" if scope in (EMAIL, LABEL_NAME) else f" {rest[-1]!r}"
            yield LintFinding(
                part, 0, f"the claim on {scope}{value} is {found}, but should be {expected}"
            )
        nothing = dict.fromkeys(self.counts[part].keys() | counts.keys(), 0)
        should, are = nothing | self.counts[part], nothing | counts
        for (scope, within), expected, found in _differing(should, are):
            yield LintFinding(
                part, 0, f"the count of {scope} of {within} is {found}, but should be {expected}"
            )

    def _claim(self, change: ClaimChange, at: int) -> bool:
        org_id, row = change.claim.org_id, change.claim[1:]
        held = self.claims[partition_of(org_id, self._parts)]
        found = held.get(row)
        if change.release:
            if found is not None and found.holder == change.holder:
                if change.keep_until:
                    held[row] = Held(change.holder, change.keep_until)
                else:
                    del held[row]
            return True
        free = found is None or found.holder == change.holder or 0 < found.free_at <= at
        if free:
            held[row] = Held(change.holder)
        return free

    def _count(self, change: CountChange) -> Iterator[str]:
        count, scope = change.count, change.count.scope
        counts = self.counts[partition_of(count.org_id, self._parts)]
        by = change.by
        if change.times:
            by *= sum(counts.get((each.scope, each.within), 0) for each in change.times)
        after = counts.get((scope, count.within), 0) + by
        if by:
            counts[scope, count.within] = after
        if change.limit is not None and after > change.limit:
            yield f"there are {after} {scope}, but only {change.limit} are allowed"
        if after < 0:
            yield f"there are {after} {scope}"

    def numbered(self, happened: Happening) -> Iterator[str]:
        """Yield an error if a task does not have the next number of its project."""
        number = getattr(happened.event, "number", None)
        if number is not None:
            counts = self.counts[partition_of(happened.org_id, self._parts)]
            due = counts.get((TASK_NUMBER, happened.event.project_id), 0)
            if number != due:
                yield f"a task has number {number}, but {due} was next"


def _differing(expected: dict[K, Any], found: dict[K, Any]) -> Iterator[tuple[K, Any, Any]]:
    for key in expected.keys() | found.keys():
        if expected.get(key) != found.get(key):
            yield key, expected.get(key), found.get(key)
