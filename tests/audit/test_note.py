"""Notes agree with the published example of Go's sumdb/note, and any change is refused."""

import base64
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.note import (
    NoteInvalid,
    Signer,
    TreeCheckpoint,
    Verifier,
    open_checkpoint,
    open_note,
    origin_of,
)

NOW = datetime(2026, 3, 1, 12, 0, 5, 250_000, tzinfo=UTC)
ROOT = sha256(b"root").digest()
LOG = "trackrecord.example"
ORIGIN = origin_of(LOG, "0190a1b2-0000-7000-8000-000000000001")
SIGNER = Signer(LOG, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
NOTE = SIGNER.sign_checkpoint(ORIGIN, 42, ROOT, NOW)

# The example in the documentation of golang.org/x/mod/sumdb/note.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = GO_TEXT + (
    "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZ"
    "b6KE6RyyBwJnAM=\n"
)


def other_signer(name: str = LOG) -> Signer:
    return Signer(name, Ed25519PrivateKey.from_private_bytes(bytes(32)))


class TestPublishedExample:
    def test_the_published_example_is_opened(self) -> None:
        verifier = Verifier.parse(GO_VKEY)

        assert verifier.key_id.hex() == "c74f20a3"
        assert verifier.vkey == GO_VKEY
        assert open_note(GO_NOTE, verifier) == GO_TEXT


class TestCheckpoint:
    def test_a_checkpoint_is_signed_line_by_line(self) -> None:
        lines = NOTE.split("\n")

        assert lines[:5] == [
            "trackrecord.example/0190a1b2-0000-7000-8000-000000000001",
            "42",
            base64.b64encode(ROOT).decode(),
            "time 2026-03-01T12:00:05Z",
            "",
        ]
        assert lines[5].startswith(f"— {LOG} ")
        assert lines[6:] == [""]

    def test_a_checkpoint_is_opened_by_the_signers_verifier(self) -> None:
        opened = open_checkpoint(NOTE, Verifier.parse(SIGNER.vkey))

        assert opened == TreeCheckpoint(ORIGIN, 42, ROOT, ("time 2026-03-01T12:00:05Z",))

    def test_a_checkpoint_has_its_time_in_utc(self) -> None:
        abroad = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))

        assert SIGNER.sign_checkpoint(ORIGIN, 42, ROOT, abroad) == NOTE

    def test_a_checkpoint_of_an_empty_tree_is_allowed(self) -> None:
        note = SIGNER.sign_checkpoint(ORIGIN, 0, ROOT, NOW)

        assert open_checkpoint(note, SIGNER.verifier).size == 0

    @pytest.mark.parametrize(
        ("origin", "size", "root"),
        [
            ("", 1, ROOT),
            ("a\nb", 1, ROOT),
            ("a", -1, ROOT),
            ("a", 1, b"short"),
            ("a", 10**19, ROOT),
        ],
    )
    def test_a_malformed_checkpoint_is_not_signed(
        self, origin: str, size: int, root: bytes
    ) -> None:
        with pytest.raises(NoteInvalid):
            SIGNER.sign_checkpoint(origin, size, root, NOW)

    @pytest.mark.parametrize("size", ["", "042", "+42", " 42", "4_2", "٤٢", "42.0", "1" * 20])
    def test_a_checkpoint_with_a_noncanonical_size_is_refused(self, size: str) -> None:
        note = SIGNER.sign(f"{ORIGIN}\n{size}\n{base64.b64encode(ROOT).decode()}\n")

        with pytest.raises(NoteInvalid):
            open_checkpoint(note, SIGNER.verifier)

    def test_a_checkpoint_with_a_noncanonical_root_is_refused(self) -> None:
        root = base64.b64encode(ROOT).decode()
        sloppy = root[:-2] + chr(ord(root[-2]) + 1) + "="  # only unused bits differ

        with pytest.raises(NoteInvalid, match="canonical"):
            open_checkpoint(SIGNER.sign(f"{ORIGIN}\n42\n{sloppy}\n"), SIGNER.verifier)


class TestSignatures:
    @given(at=st.integers(0, len(NOTE) - 1), to=st.characters(exclude_categories=["Cs"]))
    def test_a_note_with_any_changed_character_is_refused(self, at: int, to: str) -> None:
        altered = NOTE[:at] + to + NOTE[at + 1 :]

        if altered != NOTE:
            with pytest.raises(NoteInvalid):
                open_checkpoint(altered, SIGNER.verifier)

    @given(end=st.integers(0, len(NOTE) - 1))
    def test_a_truncated_note_is_refused(self, end: int) -> None:
        with pytest.raises(NoteInvalid):
            open_checkpoint(NOTE[:end], SIGNER.verifier)

    def test_signatures_of_another_key_with_the_same_name_are_ignored(self) -> None:
        with pytest.raises(NoteInvalid, match="has not signed"):
            open_checkpoint(NOTE, other_signer().verifier)

    def test_signatures_of_witnesses_are_allowed(self) -> None:
        witness = other_signer("witness.example")
        text = open_note(NOTE, SIGNER.verifier)
        witnessed = NOTE + witness.sign(text).rpartition("\n\n")[2]

        assert open_checkpoint(witnessed, SIGNER.verifier).size == 42
        assert open_checkpoint(witnessed, witness.verifier).size == 42

    def test_too_many_signatures_are_refused(self) -> None:
        line = NOTE.rpartition("\n\n")[2]

        with pytest.raises(NoteInvalid):
            open_checkpoint(NOTE + line * 100, SIGNER.verifier)

    def test_notes_that_are_not_lines_of_text_are_refused(self) -> None:
        for text in ("a\tb\n", "no newline", "\ud800\n"):
            with pytest.raises(NoteInvalid):
                SIGNER.sign(text)

    def test_notes_beyond_the_size_limit_are_refused(self) -> None:
        with pytest.raises(NoteInvalid, match="too long"):
            SIGNER.sign("a" * 1_000_000 + "\n")


class TestKeys:
    @pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb"])
    def test_keys_with_invalid_names_are_refused(self, name: str) -> None:
        with pytest.raises(NoteInvalid):
            other_signer(name)

    @given(at=st.integers(0, len(SIGNER.vkey) - 1), to=st.characters(exclude_categories=["Cs"]))
    def test_a_key_with_any_changed_character_is_refused(self, at: int, to: str) -> None:
        altered = SIGNER.vkey[:at] + to + SIGNER.vkey[at + 1 :]

        if altered != SIGNER.vkey:
            with pytest.raises(NoteInvalid):
                Verifier.parse(altered)

    def test_keys_of_another_type_or_length_are_refused(self) -> None:
        for key in (b"\x04" + bytes(32), b"\x01" + bytes(31), b""):
            with pytest.raises(NoteInvalid):
                Verifier.parse("a+00000000+" + base64.b64encode(key).decode())
