"""Anchors: the signed roots that an export is checked against."""

from dataclasses import dataclass, field

from audit.lines import Manifest
from audit.note import NoteInvalid, TreeCheckpoint, Verifier, open_checkpoint, origin_of


@dataclass(slots=True)
class Anchors:
    """Signed roots by increasing size, and the problems of those that were rejected."""

    signed: list[TreeCheckpoint] = field(default_factory=list[TreeCheckpoint])
    problems: list[str] = field(default_factory=list[str])


def anchors_of(
    manifest: Manifest, trusted: str | None = None, previous: TreeCheckpoint | None = None
) -> Anchors:
    """Return the signed roots to check the lines under *manifest* against.

    Checkpoints count if they are signed by the *trusted* vkey or, without one, by the vkey in the
    file. *previous* is a checkpoint of the same tree that the caller kept from earlier.
    """
    anchors = Anchors()
    try:
        key = Verifier.parse(trusted or manifest.vkey)
    except NoteInvalid as reason:
        anchors.problems.append(f"the key cannot be read: {reason}")
        return anchors
    if manifest.vkey != key.vkey:
        anchors.problems.append(
            f"the file names the key {manifest.vkey}, but {key.vkey} is trusted"
        )
    for number, note in enumerate(manifest.checkpoints, start=1):
        try:
            anchors.signed.append(_opened(note, key, manifest, anchors.signed))
        except NoteInvalid as reason:
            anchors.problems.append(f"checkpoint {number} of {len(manifest.checkpoints)}: {reason}")
    newest = anchors.signed[-1].size if anchors.signed else 0
    if not anchors.signed:
        anchors.problems.append("no checkpoint proves anything in this file")
    elif newest < manifest.last:
        anchors.problems.append(f"no checkpoint covers seq {newest + 1} to {manifest.last}")
    elif newest != manifest.tree_size:
        anchors.problems.append(
            f"treeSize is {manifest.tree_size}, but the last checkpoint says {newest}"
        )
    if previous is not None:
        _remember(previous, manifest, key, anchors)
    return anchors


def _opened(
    note: str, key: Verifier, manifest: Manifest, earlier: list[TreeCheckpoint]
) -> TreeCheckpoint:
    """Return the checkpoint if it is signed and within the range of the lines.

    :raises NoteInvalid: it is not; the message says why.
    """
    checkpoint = open_checkpoint(note, key)
    _refuse_foreign(checkpoint, key, manifest)
    if checkpoint.size < manifest.first - 1:
        raise NoteInvalid(f"size {checkpoint.size} is before the range")
    if earlier and checkpoint.size <= earlier[-1].size:
        raise NoteInvalid(f"size {checkpoint.size} follows size {earlier[-1].size}")
    if earlier and earlier[-1].size >= manifest.last:
        raise NoteInvalid("only one checkpoint may be at or after the end of the range")
    return checkpoint


def _refuse_foreign(checkpoint: TreeCheckpoint, key: Verifier, manifest: Manifest) -> None:
    """Check that the origin is this organization's: one key may sign many trees.

    :raises NoteInvalid: it is another's.
    """
    epochs = range(1, manifest.epoch + 1)
    own = {origin_of(key.name, manifest.organization, epoch) for epoch in epochs}
    if key.name.endswith(f"/{manifest.organization}"):
        own.add(key.name)
    if checkpoint.origin not in own:
        raise NoteInvalid(f"it belongs to {checkpoint.origin}, not to {manifest.organization}")


def _remember(
    previous: TreeCheckpoint, manifest: Manifest, key: Verifier, anchors: Anchors
) -> None:
    """Add *previous* to the anchors if the range reaches it; otherwise report why not."""
    size = previous.size
    try:
        _refuse_foreign(previous, key, manifest)
    except NoteInvalid as reason:
        anchors.problems.append(f"the previous checkpoint: {reason}")
        return
    for signed in anchors.signed:
        if signed.size == size:
            if signed.root != previous.root:
                anchors.problems.append(
                    f"history was rewritten: the previous checkpoint has another root at {size}"
                )
            return
    if manifest.first - 1 <= size <= manifest.last:
        anchors.signed.append(previous)
        anchors.signed.sort(key=lambda checkpoint: checkpoint.size)
    elif size > manifest.tree_size:
        anchors.problems.append(
            f"the log became shorter: {manifest.tree_size} events, previously {size}"
        )
    elif size > 0:
        anchors.problems.append(
            f"the previous checkpoint of size {size} cannot be compared with this range"
        )
