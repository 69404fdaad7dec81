"""The export format `trackrecord-export/2`: the contents of each line, byte for byte.

An export is UTF-8 text in lines, each one JSON object in exactly one spelling, ended by a newline
(0x0A). There are no spaces between tokens, members have the order given here, and text is not
escaped more than JSON demands. There are four kinds of lines:

1. one **manifest**, the first line;
2. for every event in the range, in order and without gaps, an **event** line, or
3. a **skeleton** line for an event that the filter leaves out or that cannot be read;
4. one **trailer**, the last line. A file without it was cut off.

### Manifest

    {"manifest":{"format":"trackrecord-export/2","organization":"<uuid>","from":1,"to":9,
     "treeSize":9,"schemaVersion":1,"exportedAt":"<RFC 3339>","filter":null,"vkey":"<key>",
     "checkpoints":["<signed note>"]},"sum":"<crc>"}        (in one line)

- `from`, `to`: the organization's sequence numbers of the first and the last line below; `to` is
  `from` - 1 if there is none.
- `treeSize`: the size of the last checkpoint, at least `to`.
- `filter`: `null`, or an object that describes the filter; only then may skeletons follow
  without `unreadable`.
- `vkey`: the public key in signed-note form. Trust it only if you know it from elsewhere.
- `checkpoints`: C2SP signed checkpoints, their sizes strictly increasing from `from` - 1 on. Their
  origin is `<log>/<organization>`, the signing key is named `<log>` or like the origin.
- `before`, only if `from` > 1: `{"size":<from - 1>,"frontier":["<hex>"]}`, the perfect subtrees of
  the tree before the range, largest first.
- `after`, only if `treeSize` > `to` > 0: `["<hex>"]`, the RFC 9162 consistency proof from size `to`
  to size `treeSize`.
- `epoch`, only if > 1: that of the log; the origin of checkpoints signed in it ends in `/<epoch>`.

### Event

    {"seq":1,"recordedAt":"<RFC 3339>","stream":"<uuid>","version":1,
     "type":"task.created","hash":"<hex>","disclosed":{"event.title":["<base64 salt>","Ship it"]},
     "sum":"<crc>","state":{"metadata":{...},"event":{...}}}        (in one line)

`state` is always the last member, and its bytes are the bytes that are stored: everything between
the first `,"state":` and the last brace of the line. `hash` is the RFC 6962 leaf hash of these
bytes, SHA-256(0x00 || state); leaf `seq` - 1 of the organization's Merkle tree. `stream` and
`version` repeat `metadata.stream` and `metadata.version` of the state, `type` repeats `event.type`.

`disclosed` is optional. Personal data stands in the state only as a commitment,
`"sha256:<base64url of SHA-256(salt || UTF-8 value)>"`; where the value still exists and may be
shown, `disclosed` gives salt and value under the path of the commitment, which starts with
`event.` or `metadata.` and is split at its dots (a number steps into an array).

### Skeleton

    {"seq":2,"hash":"<hex>","sum":"<crc>"}        (with `"unreadable":true` before `sum` if it is)

### Trailer

    {"trailer":{"lines":10,"sha256":"<hex>"}}

The number of lines above it, and the SHA-256 of all their bytes with their newlines.

### What proves what

The signed checkpoints prove `seq`, `hash` and the state of every line, hence also its stream,
version, type and the disclosed values. `recordedAt` comes from the database and is not signed.
`sum`, eight hex digits, is the CRC-32 of the line's bytes before `,"sum"`: it proves
nothing against a forger, but finds the line in which a byte was damaged.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from operator import index
from typing import Any, NamedTuple, cast

from audit.merkle import HASH_BYTES, Frontier

FORMAT = "trackrecord-export/2"
STATE = b',"state":'
SUM_BYTES = len(',"sum":"00000000"')
SPELL = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class LineInvalid(Exception):
    """The line does not follow the format, or not in its one canonical spelling."""


class Entry(NamedTuple):
    """One exported event; *recorded_at*, *stream* and *type* need no JSON escapes."""

    seq: int
    recorded_at: str
    stream: str
    version: int
    type: str
    hash: bytes
    state: bytes
    disclosed: Mapping[str, tuple[bytes, str]] | None = None
    """Path of a commitment -> salt and value."""


class Skeleton(NamedTuple):
    """A placeholder for an event that the filter left out, or that cannot be read."""

    seq: int
    hash: bytes
    unreadable: bool = False


class Manifest(NamedTuple):
    """What the file claims to contain; *before* and *after* connect it to the rest of the tree."""

    organization: str
    first: int
    last: int
    tree_size: int
    schema_version: int
    exported_at: str
    filter: Mapping[str, Any] | None  # Any: a filter is arbitrary JSON
    vkey: str
    checkpoints: tuple[str, ...]
    before: Frontier | None = None
    after: tuple[bytes, ...] = ()
    epoch: int = 1


class Trailer:
    """Counts and hashes the lines of an export as they are written or read."""

    def __init__(self) -> None:
        """Start before the first line."""
        self.lines = 0
        self._digest = hashlib.sha256()

    def add(self, line: bytes) -> bytes:
        """Count *line*, including its newline, and return it."""
        self.lines += 1
        self._digest.update(line)
        return line

    def line(self) -> bytes:
        """Return the trailer for the lines so far."""
        digest = self._digest.hexdigest().encode()
        return b'{"trailer":{"lines":%d,"sha256":"%b"}}\n' % (self.lines, digest)


def commitment(salt: bytes, value: str) -> str:
    """Return what a state stores instead of the personal *value*."""
    digest = hashlib.sha256(salt + value.encode()).digest()
    return "sha256:" + base64.urlsafe_b64encode(digest)[:-1].decode()


def manifest_line(manifest: Manifest) -> bytes:
    """Return the first line of an export."""
    members: dict[str, Any] = {  # Any: JSON
        "format": FORMAT,
        "organization": manifest.organization,
        "from": manifest.first,
        "to": manifest.last,
        "treeSize": manifest.tree_size,
        "schemaVersion": manifest.schema_version,
        "exportedAt": manifest.exported_at,
        "filter": manifest.filter,
        "vkey": manifest.vkey,
        "checkpoints": manifest.checkpoints,
    }
    if manifest.before is not None:
        frontier = [subtree.hex() for subtree in manifest.before.subtrees]
        members["before"] = {"size": manifest.before.size, "frontier": frontier}
    members |= {"after": [node.hex() for node in manifest.after]} if manifest.after else {}
    members |= {"epoch": manifest.epoch} if manifest.epoch > 1 else {}
    return _summed(b'{"manifest":' + SPELL(members).encode()) + b"}\n"


def event_line(entry: Entry) -> bytes:
    """Return the line of one event; the state is copied unchanged.

    :raises ValueError: a newline in the state, or a path that could be mistaken for a member.
    """
    if b"\n" in entry.state:
        raise ValueError("a stored state is one line of JSON")
    return b"%b%b%b}\n" % (_summed(_event_head(entry)), STATE, entry.state)


def skeleton_line(seq: int, leaf_hash: bytes, unreadable: bool = False) -> bytes:
    """Return the placeholder line for an event that the filter left out, or cannot be read."""
    why = b',"unreadable":true' if unreadable else b""
    return _summed(b'{"seq":%d,"hash":"%b"%b' % (seq, leaf_hash.hex().encode(), why)) + b"}\n"


def is_trailer(line: bytes) -> bool:
    """Return whether *line* looks like a trailer; ``Trailer.line`` decides whether it is right."""
    return line.startswith(b'{"trailer":')


def decode_line(line: bytes) -> tuple[Manifest | Entry | Skeleton, bool]:
    """Return the decoded *line* and whether its checksum is right.

    :raises LineInvalid: it is not byte for byte what this module would have written.
    """
    if not line.endswith(b"}\n"):
        raise LineInvalid("the line is incomplete" if not line.endswith(b"\n") else "not an object")
    cut = -1 if line.startswith(b'{"manifest":') else line.find(STATE)
    head = line[:cut] if cut >= 0 else line[:-2]
    body, claimed = head[:-SUM_BYTES], head[-SUM_BYTES:]
    try:
        decoded, spelled = _decode(json.loads(body + b"}"), line[cut + len(STATE) : -2])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise LineInvalid(f"not a line of this format ({type(error).__name__})") from None
    end = len(head)
    same = spelled[: end - SUM_BYTES] == body and spelled[end:] == line[end:]
    if not same or claimed[:8] != b',"sum":"':
        raise LineInvalid("not in canonical form")
    return decoded, spelled[end - SUM_BYTES : end] == claimed


def _event_head(entry: Entry) -> bytes:
    head = (
        f'{{"seq":{entry.seq:d},"recordedAt":"{entry.recorded_at}",'
        f'"stream":"{entry.stream}","version":{entry.version:d},"type":"{entry.type}",'
        f'"hash":"{entry.hash.hex()}"'
    ).encode()
    if not entry.disclosed:
        return head
    disclosed: dict[str, tuple[str, str]] = {}
    for path, (salt, value) in entry.disclosed.items():
        if not path.startswith(("event.", "metadata.")):
            raise ValueError(f"{path!r} is no path into a state")
        disclosed[path] = (base64.b64encode(salt).decode(), value)
    return head + b',"disclosed":' + SPELL(disclosed).encode()


def _decode(fields: Any, state: bytes) -> tuple[Manifest | Entry | Skeleton, bytes]:
    """Return the decoded line and its canonical encoding."""
    if "manifest" in fields:
        manifest = _manifest(fields["manifest"])
        return manifest, manifest_line(manifest)
    if "recordedAt" in fields:
        entry = _entry(fields, state)
        return entry, event_line(entry)
    skeleton = Skeleton(index(fields["seq"]), as_hash(fields["hash"]), "unreadable" in fields)
    return skeleton, skeleton_line(*skeleton)


def _entry(fields: Any, state: bytes) -> Entry:
    disclosed = {
        path: (base64.b64decode(salt, validate=True), as_text(value))
        for path, (salt, value) in fields.get("disclosed", {}).items()
    }
    return Entry(
        seq=index(fields["seq"]),
        recorded_at=as_text(fields["recordedAt"]),
        stream=as_text(fields["stream"]),
        version=index(fields["version"]),
        type=as_text(fields["type"]),
        hash=as_hash(fields["hash"]),
        state=state,
        disclosed=disclosed or None,
    )


def _manifest(members: Any) -> Manifest:
    before, asked = members.get("before"), members["filter"]
    if before is not None:
        before = Frontier(index(before["size"]), [as_hash(node) for node in before["frontier"]])
    if not (asked is None or isinstance(asked, dict)):
        raise TypeError("a filter must be an object")
    return Manifest(
        organization=as_text(members["organization"]),
        first=index(members["from"]),
        last=index(members["to"]),
        tree_size=index(members["treeSize"]),
        schema_version=index(members["schemaVersion"]),
        exported_at=as_text(members["exportedAt"]),
        filter=cast("dict[str, Any] | None", asked),
        vkey=as_text(members["vkey"]),
        checkpoints=tuple(as_text(note) for note in members["checkpoints"]),
        before=before,
        after=tuple(as_hash(node) for node in members.get("after", ())),
        epoch=index(members.get("epoch", 1)),
    )


def as_text(value: object) -> str:
    """Return *value*, which must be text."""
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def as_hash(value: str) -> bytes:
    """Return the hash with these hex digits."""
    decoded = bytes.fromhex(value)
    if len(decoded) != HASH_BYTES:
        raise ValueError("a hash must have 32 bytes")
    return decoded


def _summed(body: bytes) -> bytes:
    return b'%b,"sum":"%08x"' % (body, zlib.crc32(body))
