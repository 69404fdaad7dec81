"""Signed checkpoints: the size and root hash of a log, under a signature.

The format is C2SP signed-note v1.0.0 with Ed25519 keys (type 0x01) around a C2SP tlog-checkpoint:
origin, size, base64 root and, as our only extension line, `time <RFC 3339>`, each ended by a
newline; then an empty line and one signature line per signer. Go's `x/mod/sumdb/note` and
transparency-log witnesses read the same format.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
"""The signature type of signed-note that means plain Ed25519."""
_KEY_ID_BYTES = 4
NOTE_BYTES_MAX = 1_000_000
"""The size up to which signed-note requires clients to accept notes; ours accepts no more."""
SIGNATURES_MAX = 100
"""As many as Go's verifier accepts."""


class NoteInvalid(Exception):
    """The note or key is malformed, or no trusted key has signed this text."""


@dataclass(frozen=True, slots=True)
class TreeCheckpoint:
    """The root of a tree at one size; *origin* names the log, *extensions* are additional lines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the lines to be signed."""
        lines = (self.origin, str(self.size), _base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @property
    def root_base64(self) -> str:
        """The root hash as it stands in the note."""
        return _base64(self.root)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse signed lines.

        :raises NoteInvalid: they are not a checkpoint in canonical form.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise NoteInvalid("a checkpoint needs at least three lines, none of them empty")
        origin, size, root = lines[:3]
        if not (size.isascii() and size.isdecimal()) or (size[0] == "0" and size != "0"):
            raise NoteInvalid(f"{size!r} is not a tree size")
        if len(size) > 19:
            raise NoteInvalid("the tree size does not fit in 63 bits")
        decoded = _from_base64(root)
        if len(decoded) != hashlib.sha256().digest_size:
            raise NoteInvalid("the root hash is not 32 bytes long")
        return cls(origin, int(size), decoded, tuple(lines[3:-1]))


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public key of a signer."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        """Refuse names and keys that signed-note does not allow.

        :raises NoteInvalid: the name is empty or has a space or plus, or the key is not 32 bytes.
        """
        if not self.name.isprintable() or {*self.name} & {" ", "+"} or not self.name:
            raise NoteInvalid(f"{self.name!r} is not a key name")
        if len(self.public_key) != 32:
            raise NoteInvalid("an Ed25519 public key must have 32 bytes")

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name, newline, 0x01, public key)."""
        named = self.name.encode() + b"\n" + ED25519 + self.public_key
        return hashlib.sha256(named).digest()[:_KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The text form of the key: name, key id in hex and base64 key, joined by plus signs."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(ED25519 + self.public_key)}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Parse the text form of a key.

        :raises NoteInvalid: it is malformed, of another type, or its id does not match.
        """
        name, _, rest = vkey.partition("+")
        key_id, _, encoded = rest.partition("+")
        key = _from_base64(encoded)
        if key[:1] != ED25519:
            raise NoteInvalid("the key is not an Ed25519 key")
        verifier = cls(name, key[1:])
        if verifier.key_id.hex() != key_id:
            raise NoteInvalid("the key id does not belong to this name and key")
        return verifier

    def has_signed(self, text: str, signature: bytes) -> bool:
        """Return whether *signature* is this key's signature over exactly *text*."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """A named private key that signs checkpoints."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        """Sign as *name*, which C2SP recommends to be the origin of the log.

        :raises NoteInvalid: the name is empty or contains a space or plus.
        """
        self._key = private_key
        self.verifier = Verifier(name, private_key.public_key().public_bytes_raw())

    @property
    def vkey(self) -> str:
        """The public key in text form, for others to check signatures."""
        return self.verifier.vkey

    def sign(self, text: str) -> str:
        """Return *text*, which must end in a newline, as a signed note.

        :raises NoteInvalid: a note cannot contain this text.
        """
        _refuse_unless_text(text)
        if not text.endswith("\n"):
            raise NoteInvalid("the text of a note must end in a newline")
        blob = self.verifier.key_id + self._key.sign(text.encode())
        return f"{text}\n— {self.verifier.name} {_base64(blob)}\n"

    def sign_checkpoint(self, origin: str, size: int, root: bytes, now: datetime) -> str:
        """Return the signed checkpoint of a tree; *now* (aware) becomes its `time` line.

        :raises NoteInvalid: these values do not make a valid checkpoint.
        """
        instant = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        text = TreeCheckpoint(origin, size, root, (f"time {instant}",)).text()
        TreeCheckpoint.parse(text)
        return self.sign(text)


def origin_of(log: str, organization: str, epoch: int = 1) -> str:
    """Return the origin of one organization's tree in an epoch of the log named *log*.

    A log that was set back to a backup grows another tree, which has a name of its own.
    """
    return f"{log}/{organization}" if epoch == 1 else f"{log}/{organization}/{epoch}"


def open_note(note: str, verifier: Verifier) -> str:
    """Return the text of *note* after checking that *verifier* has signed it.

    Signatures of other keys are ignored, as signed-note requires: they may be witnesses.

    :raises NoteInvalid: it is malformed, not signed by this key, or its signature is wrong.
    """
    _refuse_unless_text(note)
    text, separator, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not separator or lines.pop() or not 0 < len(lines) <= SIGNATURES_MAX:
        raise NoteInvalid("a note must be text, an empty line and signature lines")
    text += "\n"
    signed = False
    for line in lines:
        name, signature = _signature_of(line)
        if name != verifier.name or signature[:_KEY_ID_BYTES] != verifier.key_id:
            continue
        if not verifier.has_signed(text, signature[_KEY_ID_BYTES:]):
            raise NoteInvalid(f"the signature of {verifier.name} does not match the text")
        signed = True
    if not signed:
        raise NoteInvalid(f"{verifier.vkey} has not signed this")
    return text


def open_checkpoint(note: str, verifier: Verifier) -> TreeCheckpoint:
    """Return the checkpoint in *note* after checking that *verifier* has signed it.

    :raises NoteInvalid: it is malformed, or this key has not signed it.
    """
    return TreeCheckpoint.parse(open_note(note, verifier))


def checkpoint_in(note: str) -> TreeCheckpoint:
    """Return the checkpoint in *note*, whoever has signed it.

    :raises NoteInvalid: it is malformed.
    """
    text, _, _ = note.rpartition("\n\n")
    return TreeCheckpoint.parse(f"{text}\n")


def _signature_of(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    signature = _from_base64(encoded)
    if dash != "—" or not name or len(signature) <= _KEY_ID_BYTES:
        raise NoteInvalid("a signature line is malformed")
    return name, signature


def _refuse_unless_text(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise NoteInvalid("the note is not Unicode text") from None
    if size > NOTE_BYTES_MAX:
        raise NoteInvalid("the note is too long")
    if any(character < " " and character != "\n" for character in text):
        raise NoteInvalid("the note contains control characters")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from_base64(text: str) -> bytes:
    """Decode strictly: each value has one spelling, so that changing any byte of a note matters."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteInvalid("malformed base64") from None
    if _base64(data) != text:
        raise NoteInvalid("base64 is not in canonical form")
    return data
