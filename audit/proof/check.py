"""Checks a stored proof: that an event is in a signed tree, or that one tree continues another.

Needs no server and no database. `docs/reference/proof-format.md` describes the format.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import index
from typing import Any, cast

from audit.lines import as_hash, as_text
from audit.merkle import ProofInvalid, leaf_hash, verify_consistency, verify_inclusion
from audit.note import NoteInvalid, TreeCheckpoint, Verifier, open_checkpoint
from audit.verify import contradictions, value_at

PROOF_FORMAT = "trackrecord-proof/1"
PROOF_BYTES_MAX = 16 * 1024 * 1024
"""More than the proof of any event, which has at most a request's body of 1 MiB."""
_FAMILY = PROOF_FORMAT.partition("/")[0] + "/"


class ProofUnreadable(Exception):
    """The file is a proof, but not one in the form that is known here."""


@dataclass(slots=True)
class ProofReport:
    """The result: what is proven if there are no problems."""

    told: str
    vkey: str
    key_is_trusted: bool
    problems: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        """Return the report for people, the verdict last."""
        lines = [*self.problems]
        if not self.key_is_trusted:
            lines.append(f"note: the key was taken from the file itself: {self.vkey}")
        lines.append(f"NOT OK: not proven: {self.told}" if self.problems else f"OK: {self.told}")
        # As in an export's report: what a hostile file says cannot control a terminal.
        return "\n".join(line.encode("unicode_escape").decode("ascii") for line in lines)


def check_proof(
    stored: bytes, trusted: str | None = None, previous: TreeCheckpoint | None = None
) -> ProofReport | None:
    """Check the proof in a file; None if the file has something else.

    *trusted* and *previous* are as for an export: the key to trust, and a kept checkpoint.

    :raises ProofUnreadable: it cannot be read.
    """
    try:
        found: object = json.loads(stored)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    proof = cast("dict[str, Any]", found)
    if not str(proof.get("format")).startswith(_FAMILY):
        return None
    try:
        return _Checked(proof, trusted, previous).report()
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ProofUnreadable(f"not a proof of this format ({type(error).__name__})") from None


class _Checked:
    """One proof, and what is wrong with it."""

    def __init__(
        self, proof: Mapping[str, Any], trusted: str | None, previous: TreeCheckpoint | None
    ) -> None:
        if proof["format"] != PROOF_FORMAT:
            raise ProofUnreadable(f"{PROOF_FORMAT} is known here, not {proof['format']}")
        self._proof, self._trusted, self._previous = proof, trusted, previous
        self._organization, self._vkey = as_text(proof["organization"]), as_text(proof["vkey"])
        self._path = [as_hash(each) for each in proof["proof"]]
        self._problems: list[str] = []
        self._key: Verifier | None = None
        try:
            self._key = Verifier.parse(trusted or self._vkey)
        except NoteInvalid as reason:
            self._problems.append(f"the key cannot be read: {reason}")
        if trusted not in {None, self._vkey}:
            self._problems.append(f"the file names the key {self._vkey}, but {trusted} is trusted")

    def report(self) -> ProofReport:
        """Check everything and return the report."""
        kinds = {"inclusion": self._inclusion, "consistency": self._consistency}
        told = kinds[self._proof["kind"]]()
        is_trusted = self._trusted is not None
        return ProofReport(told, self._trusted or self._vkey, is_trusted, self._problems)

    def _inclusion(self) -> str:
        proof = self._proof
        seq, leaf = index(proof["seq"]), as_hash(proof["leafHash"])
        size, root, when = self._signed(proof, "the checkpoint")
        self._compare_previous({size: root})
        self._prove(lambda: verify_inclusion(leaf, seq - 1, size, self._path, root))
        return f"event {seq}{self._event(leaf)} is among the first {size} of {self._owner()}{when}"

    def _event(self, leaf: bytes) -> str:
        """Check the contents of the event, if the proof has them, and return its type."""
        event = self._proof["event"]
        if event is None:
            return " (its contents are not in the file)"
        state = as_text(event["state"]).encode()
        if leaf_hash(state) != leaf:
            self._problems.append("the state does not match the leaf hash")
            return ""
        disclosed = {
            path: (base64.b64decode(salt, validate=True), as_text(value))
            for path, (salt, value) in event["disclosed"].items()
        }
        wrong = contradictions(state, {}, disclosed)
        self._problems += wrong
        return "" if wrong else f" ({value_at(json.loads(state), 'event.type')})"

    def _consistency(self) -> str:
        first, root1, _ = self._signed(self._proof["from"], "the checkpoint `from`")
        second, root2, when = self._signed(self._proof["to"], "the checkpoint `to`")
        self._compare_previous({first: root1, second: root2})
        self._prove(lambda: verify_consistency(first, second, root1, root2, self._path))
        return f"the first {second} events of {self._owner()} begin with the first {first}{when}"

    def _signed(self, said: Mapping[str, Any], name: str) -> tuple[int, bytes, str]:
        """Return size and root as *said*, after comparing them with the checkpoint beside them."""
        size, root = index(said["size"]), as_hash(said["root"])
        note, key = as_text(said["checkpoint"]), self._key
        if key is None:
            return size, root, ""
        try:
            checkpoint = open_checkpoint(note, key)
        except NoteInvalid as reason:
            self._problems.append(f"{name}: {reason}")
            return size, root, ""
        if not _is_of(checkpoint, key, self._organization):
            told = f"{name} belongs to {checkpoint.origin}, not to {self._organization}"
            self._problems.append(told)
        if (checkpoint.size, checkpoint.root) != (size, root):
            self._problems.append(f"{name} has another size or root than the proof")
        return size, root, "".join(f", signed at {line}" for line in _times(checkpoint))

    def _compare_previous(self, roots: Mapping[int, bytes]) -> None:
        previous, key = self._previous, self._key
        if previous is None or key is None:
            return
        root, told = roots.get(previous.size), None
        if not _is_of(previous, key, self._organization):
            told = f"the previous checkpoint belongs to {previous.origin}"
        elif root is None:
            sizes = " or ".join(map(str, roots))
            told = f"the previous checkpoint has size {previous.size}, not {sizes}"
        elif root != previous.root:
            told = "history was rewritten: the previous checkpoint has another root"
        self._problems += [] if told is None else [told]

    def _prove(self, verify: Callable[[], None]) -> None:
        try:
            verify()
        except ProofInvalid as reason:
            self._problems.append(str(reason))

    def _owner(self) -> str:
        return f"organization {self._organization}"


def _is_of(checkpoint: TreeCheckpoint, key: Verifier, organization: str) -> bool:
    """Return whether a checkpoint is one of an organization, in whatever epoch of the log."""
    base = f"{key.name}/{organization}"
    log, _, epoch = checkpoint.origin.rpartition("/")
    return checkpoint.origin == base or (log == base and epoch.isascii() and epoch.isdecimal())


def _times(checkpoint: TreeCheckpoint) -> list[str]:
    return [line[5:] for line in checkpoint.extensions if line.startswith("time ")]
