"""Verifies an export line by line, in constant memory, and names the lines that were altered.

Needs no server and no database: only the file, a public key and, optionally, an earlier checkpoint.
`audit/lines.py` describes the format.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from audit.anchor import anchors_of
from audit.lines import (
    Entry,
    LineInvalid,
    Manifest,
    Skeleton,
    Trailer,
    commitment,
    decode_line,
    is_trailer,
)
from audit.merkle import Frontier, ProofInvalid, leaf_hash, verify_consistency
from audit.note import TreeCheckpoint
from audit.report import PROBLEMS_MAX, Discrepancy, Report

GAPS_MAX = 100
"""Gaps that are remembered, to tell a moved line from a repeated one."""
DAMAGED = "the line was altered: its checksum is wrong"


def verify(
    lines: Iterable[bytes], trusted: str | None = None, previous: TreeCheckpoint | None = None
) -> Report:
    """Check an export, given as its lines with their newlines.

    *trusted* is the vkey to trust; without it the file's own is used, and the report says so.
    *previous*, a checkpoint kept from earlier, shows that the log has only grown since.
    """
    walk = _Walk(trusted, previous)
    for line in lines:
        walk.take(line)
    return walk.report()


class _Walk:
    """One pass over a file. The tree is None once positions in it are no longer certain."""

    def __init__(self, trusted: str | None, previous: TreeCheckpoint | None) -> None:
        self._trusted, self._previous = trusted, previous
        self._manifest: Manifest | None = None
        self._trailer, self._ended = Trailer(), False
        self._number = self._events = self._skeletons = self._unread = self._more = 0
        self._problems: list[Discrepancy] = []
        self._tree: Frontier | None = None
        self._anchors: list[TreeCheckpoint] = []
        self._seq: int | None = None
        self._unreadable = 0  # lines since the last one with a known seq
        self._gaps: list[tuple[int, int]] = []
        self._proven, self._leaf_line = 0, 1
        self._mark = (1, 0)  # line and seq up to which everything is proven

    def take(self, line: bytes) -> None:
        """Check the next line of the file."""
        self._number += 1
        if self._ended:
            self._blame("there is a line after the trailer")
        elif is_trailer(line):
            self._ended = True
            self._require_all()
            if line != self._trailer.line():
                self._blame("the trailer's count or digest does not match the lines above")
        else:
            self._trailer.add(line)
            self._read(line)

    def report(self) -> Report:
        """Check what only the end of the file shows, and return the report."""
        if not self._ended:
            self._number = max(self._number, 1)
            self._blame("the file was cut off: lines or the trailer are missing after this line")
            self._require_all()
        if self._manifest is not None:
            self._reach_beyond(self._manifest)
        vkey = self._trusted or (self._manifest.vkey if self._manifest else None)
        return Report(
            events=self._events,
            skeletons=self._skeletons,
            unreadable=self._unread,
            proven=self._proven,
            vkey=vkey,
            key_is_trusted=self._trusted is not None,
            problems=tuple(self._problems),
            more=self._more,
            recognized=self._manifest is not None or self._seq is not None or self._ended,
        )

    def _read(self, line: bytes) -> None:
        try:
            decoded, intact = decode_line(line)
        except LineInvalid as reason:
            self._blame(str(reason))
            self._unreadable, self._tree = self._unreadable + 1, None
            return
        if isinstance(decoded, Manifest):
            self._begin(decoded, [] if intact else [DAMAGED])
            return
        if self._number == 1:
            self._blame("the manifest is missing: the beginning of the file is lost")
        if intact or decoded.seq == (self._seq or 0) + 1:
            self._step(decoded, intact)
        else:  # the damage may be in seq itself
            self._blame(DAMAGED)
            self._unreadable, self._tree = self._unreadable + 1, None

    def _begin(self, manifest: Manifest, reasons: list[str]) -> None:
        if self._number > 1:
            self._blame("there is a manifest below the first line")
            return
        before = manifest.before or Frontier()
        anchors = anchors_of(manifest, self._trusted, self._previous)
        reasons += anchors.problems
        self._manifest, self._seq = manifest, manifest.first - 1
        self._mark = (1, manifest.first - 1)
        if manifest.first < 1 or manifest.last < manifest.first - 1:
            reasons.append(f"there is no range from {manifest.first} to {manifest.last}")
        elif before.size != manifest.first - 1 or (manifest.before and not before.size):
            reasons.append("`before` does not end where the range begins")
        else:
            self._tree, self._anchors = before, anchors.signed
        for reason in reasons:
            self._blame(reason)
        self._reach()

    def _step(self, item: Entry | Skeleton, intact: bool) -> None:
        leaf, reasons = item.hash, [] if intact else [DAMAGED]
        if isinstance(item, Entry):
            self._events += 1
            if leaf_hash(item.state) != item.hash:
                reasons.append("the state does not match its hash")
                leaf = item.hash if intact else leaf_hash(item.state)
            reasons += _contradictions(item)
        elif item.unreadable:
            self._unread += 1
        else:
            self._skeletons += 1
            if self._manifest is not None and self._manifest.filter is None:
                reasons.append("there is a skeleton in an export without a filter")
        disorder = self._follow(item.seq)
        if disorder is not None:
            reasons.append(disorder)
        if reasons:
            self._blame("; ".join(reasons), item.seq)
        if self._tree is not None and self._seq == item.seq == self._tree.size + 1:
            self._tree.append(leaf)
            self._leaf_line = self._number
            self._reach()

    def _follow(self, seq: int) -> str | None:
        """Move on to *seq* and return what is wrong with it, if anything."""
        if self._seq is None or seq == self._seq + 1:
            self._seq, self._unreadable = seq, 0
            return None
        if seq <= self._seq:
            if any(low <= seq <= high for low, high in self._gaps):
                return "out of order: it belongs further up"
            return "a duplicate or moved line: this seq is already above"
        low, high, unreadable = self._seq + 1, seq - 1, self._unreadable
        self._seq, self._unreadable, self._tree = seq, 0, None
        if high - low < unreadable:
            return None  # the unreadable lines stand for these
        if len(self._gaps) < GAPS_MAX:
            self._gaps.append((low, high))
        return f"seq {_span(low, high)} is missing before it: dropped or moved"

    def _reach(self) -> None:
        """Compare the tree with the signed root of its present size, if there is one."""
        tree, anchors = self._tree, self._anchors
        if tree is None or not anchors or anchors[0].size != tree.size:
            return
        checkpoint = anchors.pop(0)
        if checkpoint.root == tree.root():
            self._proven = tree.size
            self._mark = (self._number, tree.size)
        else:
            self._blame_range(f"they do not lead to the signed root of size {tree.size}")

    def _reach_beyond(self, manifest: Manifest) -> None:
        """Check a range that ends inside the tree against the checkpoint beyond its end."""
        tree = self._tree
        if tree is None or not self._anchors or tree.size != manifest.last or tree.size == 0:
            return
        signed = self._anchors[0]
        try:
            verify_consistency(tree.size, signed.size, tree.root(), signed.root, manifest.after)
        except ProofInvalid as reason:
            self._blame_range(
                f"they do not lead to the signed root of size {signed.size}: {reason}"
            )
        else:
            self._proven = tree.size

    def _require_all(self) -> None:
        """Check that the last line is the last of the range."""
        if self._manifest is None or self._seq is None:
            return
        last, announced = self._seq, self._manifest.last
        if announced - last > self._unreadable:
            self._blame(f"seq {_span(last + 1, announced)} is missing above: dropped or cut off")
        elif last > announced:
            self._blame(f"the manifest announces no seq after {announced}")

    def _blame_range(self, what: str) -> None:
        """Blame all lines since the last root that was right; later roots say nothing new."""
        line, seq = self._mark
        tree, self._tree = self._tree, None
        if tree is None or tree.size <= seq:
            self._blame(f"the frontier before the range: {what}", line=1)
        else:
            span = f"seq {_span(seq + 1, tree.size)}"
            self._blame(f"{span}: {what}", None, line + 1, self._leaf_line)

    def _blame(
        self, what: str, seq: int | None = None, line: int | None = None, last: int | None = None
    ) -> None:
        if len(self._problems) == PROBLEMS_MAX:
            self._more += 1
        else:
            self._problems.append(Discrepancy(line or self._number, seq, what, last))


def _contradictions(entry: Entry) -> list[str]:
    repeated = {
        "metadata.stream": entry.stream,
        "metadata.version": entry.version,
        "event.type": entry.type,
    }
    return contradictions(entry.state, repeated, entry.disclosed or {})


def contradictions(
    stored: bytes, repeated: Mapping[str, object], disclosed: Mapping[str, tuple[bytes, str]]
) -> list[str]:
    """Return how *repeated* and *disclosed* values differ from the state that they are about."""
    try:
        state = json.loads(stored)
    except (ValueError, RecursionError):
        return ["the state is not JSON"]
    wrong = [
        f"{path} of the state is not what the line says"
        for path, said in repeated.items()
        if value_at(state, path) != said
    ]
    return wrong + [
        f"the disclosed {path} does not match its commitment"
        for path, (salt, value) in disclosed.items()
        if value_at(state, path) != commitment(salt, value)
    ]


def value_at(state: Any, path: str) -> Any:
    """Return the value at a dotted path of decoded JSON; None if there is none."""
    for step in path.split("."):
        if isinstance(state, dict):
            state = cast("dict[str, Any]", state).get(step)
        elif isinstance(state, list) and step.isascii() and step.isdecimal() and len(step) < 10:
            members = cast("list[object]", state)
            state = members[int(step)] if int(step) < len(members) else None
        else:
            return None
    return state


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"
