"""Builds small exports of a fictitious organization, with the project's own encoders."""

import base64
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.lines import (
    Entry,
    Manifest,
    Trailer,
    commitment,
    event_line,
    manifest_line,
    skeleton_line,
)
from audit.merkle import Frontier, consistency_proof, leaf_hash, root_of
from audit.note import Signer, TreeCheckpoint, origin_of
from audit.report import Report
from audit.verify import verify

ACME = "0190a1b2-0000-7000-8000-000000000001"
STREAM = "0190a1b2-0000-7000-8000-0000000000aa"
LOG = "trackrecord.example"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Signer(LOG, PRIVATE_KEY)
KEY = SIGNER.vkey
STRANGER = Signer(LOG, Ed25519PrivateKey.from_private_bytes(bytes(32)))
TITLE = 'Größe "ship",\\ \u2028 it 🚢,"state":'


def entry(seq: int, title: str = TITLE) -> Entry:
    """Return an event whose title and ip are personal and disclosed."""
    salt = sha256(b"%d" % seq).digest()[:16]
    metadata = {"id": f"e{seq}", "stream": STREAM, "version": seq, "ip": commitment(salt, "::1")}
    event = {"type": "task.created", "title": commitment(salt, title), "tags": ["a", "b"]}
    state = json.dumps({"metadata": metadata, "event": event}, separators=(",", ":")).encode()
    return Entry(
        seq=seq,
        recorded_at="2026-03-01T11:59:00.000001Z",
        stream=STREAM,
        version=seq,
        type="task.created",
        hash=leaf_hash(state),
        state=state,
        disclosed={"event.title": (salt, title), "metadata.ip": (salt, "::1")},
    )


def hashes(count: int) -> list[bytes]:
    return [entry(seq).hash for seq in range(1, count + 1)]


def checkpoint(size: int, signer: Signer = SIGNER, origin: str = origin_of(LOG, ACME)) -> str:
    return signer.sign_checkpoint(origin, size, root_of(hashes(size)), NOW)


def kept(
    size: int, root: bytes | None = None, origin: str = origin_of(LOG, ACME)
) -> TreeCheckpoint:
    """Return a checkpoint as an auditor would keep it."""
    return TreeCheckpoint(origin, size, root or root_of(hashes(size)))


def manifest(first: int, last: int, sizes: Sequence[int], **other: Any) -> Manifest:
    """Return the manifest of first..last with checkpoints of *sizes*; *other* overrides members."""
    before = None
    if first > 1:
        before = Frontier()
        for leaf in hashes(first - 1):
            before.append(leaf)
    after: tuple[bytes, ...] = ()
    if sizes and sizes[-1] > last > 0:
        after = tuple(consistency_proof(hashes(sizes[-1]), last))
    plain = Manifest(
        organization=ACME,
        first=first,
        last=last,
        tree_size=sizes[-1] if sizes else 0,
        schema_version=1,
        exported_at="2026-03-01T12:00:00Z",
        filter=None,
        vkey=SIGNER.vkey,
        checkpoints=tuple(checkpoint(size) for size in sizes),
        before=before,
        after=after,
    )
    return plain._replace(**other)


def closed(lines: Iterable[bytes]) -> list[bytes]:
    """Return *lines* with a matching trailer, as a careful forger would write it."""
    trailer = Trailer()
    return [*(trailer.add(line) for line in lines), trailer.line()]


def export(
    first: int = 1,
    last: int = 9,
    sizes: Sequence[int] = (4, 9),
    hidden: Sequence[int] = (),
    **other: Any,
) -> list[bytes]:
    """Return a whole export; events in *hidden* are skeletons."""
    if hidden:
        other.setdefault("filter", {"type": ["task.created"], "state": "TODO"})
    lines = [manifest_line(manifest(first, last, sizes, **other))]
    for seq in range(first, last + 1):
        item = entry(seq)
        lines.append(skeleton_line(seq, item.hash) if seq in hidden else event_line(item))
    return closed(lines)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def check(lines: list[bytes], **options: Any) -> Report:
    """Verify an export with the key that signed it."""
    return verify(lines, KEY, **options)


def found(report: Report) -> list[tuple[int, str]]:
    """Return the problems of a report, each with its line."""
    return [(problem.line, problem.what) for problem in report.problems]
