"""The signed roots that an export has to reach: its own checkpoints and one remembered earlier."""

from dataclasses import dataclass, field

from audit.lines import Manifest
from audit.note import Checkpoint, NoteInvalid, Verifier, open_checkpoint, origin_of


@dataclass(slots=True)
class Anchors:
    """Signed roots by increasing size, and what is wrong with those that had to be left out."""

    signed: list[Checkpoint] = field(default_factory=list[Checkpoint])
    problems: list[str] = field(default_factory=list[str])


def anchors_of(
    manifest: Manifest, trusted: str | None = None, previous: Checkpoint | None = None
) -> Anchors:
    """Collect what the lines under *manifest* are to be held against.

    Checkpoints count if they are signed by the *trusted* vkey, or, without one, by the vkey that
    the file brings. *previous* is a checkpoint of the same tree that the caller has kept.
    """
    anchors = Anchors()
    try:
        key = Verifier.parse(trusted or manifest.vkey)
    except NoteInvalid as reason:
        anchors.problems.append(f"the key cannot be read: {reason}")
        return anchors
    if manifest.vkey != key.vkey:
        anchors.problems.append(f"the file names the key {manifest.vkey}, trusted is {key.vkey}")
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
        anchors.problems.append(f"treeSize is {manifest.tree_size}, the last checkpoint's {newest}")
    if previous is not None:
        _remember(previous, manifest, key, anchors)
    return anchors


def _opened(note: str, key: Verifier, manifest: Manifest, earlier: list[Checkpoint]) -> Checkpoint:
    """Return the checkpoint, if it is signed and the lines below can be held against it.

    :raises NoteInvalid: why not.
    """
    checkpoint = open_checkpoint(note, key)
    _refuse_foreign(checkpoint, key, manifest)
    if checkpoint.size < manifest.first - 1:
        raise NoteInvalid(f"size {checkpoint.size} lies before the range")
    if earlier and checkpoint.size <= earlier[-1].size:
        raise NoteInvalid(f"size {checkpoint.size} follows size {earlier[-1].size}")
    if earlier and earlier[-1].size >= manifest.last:
        raise NoteInvalid("only one checkpoint may lie at or beyond the end of the range")
    return checkpoint


def _refuse_foreign(checkpoint: Checkpoint, key: Verifier, manifest: Manifest) -> None:
    """Demand this organization's origin under the key's name: one key may sign many trees.

    :raises NoteInvalid: it is another's.
    """
    own = checkpoint.origin in (key.name, origin_of(key.name, manifest.organization))
    if not own or not checkpoint.origin.endswith(f"/{manifest.organization}"):
        raise NoteInvalid(f"it is of {checkpoint.origin}, not of {manifest.organization}")


def _remember(previous: Checkpoint, manifest: Manifest, key: Verifier, anchors: Anchors) -> None:
    """Add *previous* to the anchors where the range reaches it, or say why it cannot be kept."""
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
            f"the log became shorter: {manifest.tree_size} events, {size} in the previous one"
        )
    elif size > 0:
        anchors.problems.append(
            f"the previous checkpoint of size {size} cannot be compared with this range"
        )
