"""The export format is written as specified and read in no other spelling."""

import json
import zlib
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import audit.lines
from audit.lines import (
    Entry,
    LineInvalid,
    Manifest,
    Skeleton,
    commitment,
    decode_line,
    event_line,
    manifest_line,
    skeleton_line,
)
from audit.merkle import leaf_hash
from tests.audit.exports import ACME, TITLE, b64, entry, export, manifest

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "export-format.md"


class TestEventLine:
    def test_an_event_line_has_the_specified_members_in_order(self) -> None:
        item = entry(3)
        line = event_line(item)
        members = json.loads(line)
        salt = item.disclosed["event.title"][0] if item.disclosed else b""

        order = "seq, recordedAt, stream, version, type, hash, disclosed, sum, state"
        assert ", ".join(members) == order
        assert members["seq"] == 3
        assert members["hash"] == sha256(b"\x00" + item.state).hexdigest()
        assert members["disclosed"]["event.title"] == [b64(salt), TITLE]
        assert members["state"]["event"]["title"] == commitment(salt, TITLE)
        assert int(members["sum"], 16) == zlib.crc32(line[: line.index(b',"sum"')])

    def test_an_event_line_ends_with_the_exact_bytes_of_the_state(self) -> None:
        line = event_line(entry(3)).rstrip(b"\n")

        assert line[line.index(b',"state":') + 9 : -1] == entry(3).state

    def test_an_event_line_omits_disclosed_if_it_is_empty(self) -> None:
        assert b"disclosed" not in event_line(entry(1)._replace(disclosed=None))
        assert b"disclosed" not in event_line(entry(1)._replace(disclosed={}))

    def test_an_event_line_refuses_a_state_with_a_newline(self) -> None:
        with pytest.raises(ValueError, match="one line"):
            event_line(entry(1)._replace(state=b"{\n}"))

    def test_an_event_line_refuses_a_path_outside_the_state(self) -> None:
        with pytest.raises(ValueError, match="path"):
            event_line(entry(1)._replace(disclosed={"state": (b"", "")}))

    @given(
        title=st.text(st.characters(exclude_categories=["Cs"])),
        salt=st.binary(max_size=32),
        seq=st.integers(1, 2**63),
    )
    def test_an_event_line_decodes_to_what_was_encoded(
        self, title: str, salt: bytes, seq: int
    ) -> None:
        item = entry(1)._replace(seq=seq, disclosed={"event.title": (salt, title)})

        assert decode_line(event_line(item)) == (item, True)


class TestOtherLines:
    def test_a_skeleton_has_seq_and_hash(self) -> None:
        hashed = leaf_hash(b"x")
        line = skeleton_line(2, hashed)

        assert line.startswith(b'{"seq":2,"hash":"%b","sum":"' % hashed.hex().encode())
        assert decode_line(line) == (Skeleton(2, hashed), True)

    @pytest.mark.parametrize("first", [1, 4])
    def test_a_manifest_decodes_to_what_was_encoded(self, first: int) -> None:
        written = manifest(first, 6, [6, 9], filter={"state": {"a": [1, None]}, "type": "ü"})

        read, intact = decode_line(manifest_line(written))

        assert isinstance(read, Manifest)
        assert intact
        assert read._replace(before=None) == written._replace(before=None)
        assert (read.before is None) == (first == 1)
        assert read.organization == ACME

    def test_the_trailer_counts_and_hashes_the_lines_above(self) -> None:
        *above, last = export()

        assert json.loads(last) == {
            "trailer": {"lines": 10, "sha256": sha256(b"".join(above)).hexdigest()}
        }


GOOD = event_line(entry(1))
MANIFEST = manifest_line(manifest(1, 2, [2]))


class TestReading:
    @pytest.mark.parametrize(
        ("line", "old", "new"),
        [
            (GOOD, b'"seq":1', b'"seq": 1'),
            (GOOD, b'"seq":1', b'"seq":true'),
            (GOOD, b'"seq":1', b'"seq":1.0'),
            (GOOD, b'"seq":1', b'"seq":1,"seq":1'),
            (GOOD, b'"seq":1', b'"seq":"1"'),
            (GOOD, b'"type":"task', b'"type":"\\u0074ask'),
            (GOOD, b'"type":"task.created"', b'"type":null'),
            (GOOD, b'"hash":"', b'"hash":" '),
            (GOOD, b'"hash":"', b'"hash":"00'),
            (GOOD, b'"::1"', b"1"),
            (GOOD, b'"sum"', b'"Sum"'),
            (GOOD, b',"state":', b',"State":'),
            (GOOD, b'"recordedAt"', b'"at"'),
            (GOOD, b"}\n", b"}"),
            (GOOD, b"}\n", b"} \n"),
            (GOOD, GOOD[:-1], b""),
            (GOOD, GOOD[:-1], b"[]"),
            (GOOD, GOOD[:-1], b"{}"),
            (GOOD, GOOD[:-1], b'{"seq":1}'),
            (GOOD, GOOD[:-1], b"[" * 100_000 + b"}"),
            (GOOD, GOOD[:-1], b"\xff\xfe}"),
            (MANIFEST, b'"filter":null', b'"filter":[]'),
            (MANIFEST, b'"filter":null', b'"filter":{"a":NaN}'),
            (MANIFEST, b'"from":1', b'"from":1.0'),
            (MANIFEST, b'"from":1', b'"from":null'),
            (MANIFEST, b'export/2"', b'export/1"'),
            (MANIFEST, b'"organization":"', b'"organization":5,"was":"'),
            (MANIFEST, b'"vkey":', b'"before":{"size":3,"frontier":[]},"vkey":'),
        ],
    )
    def test_decoding_refuses_lines_in_any_other_spelling(
        self, line: bytes, old: bytes, new: bytes
    ) -> None:
        assert old in line

        with pytest.raises(LineInvalid):
            decode_line(line.replace(old, new, 1))

    @given(line=st.sampled_from([GOOD, MANIFEST]), data=st.data())
    def test_decoding_detects_every_changed_byte_outside_the_state(
        self, line: bytes, data: st.DataObject
    ) -> None:
        end = line.find(b',"state":{"metadata') + 9 if line is GOOD else len(line)
        at = data.draw(st.integers(0, end - 1))
        byte = data.draw(st.integers(0, 255).filter(lambda value: value != line[at]))

        try:
            _, intact = decode_line(line[:at] + bytes([byte]) + line[at + 1 :])
        except LineInvalid:
            intact = False

        assert not intact

    @given(fields=st.recursive(st.none() | st.text() | st.integers(), st.lists))
    def test_decoding_raises_nothing_but_line_invalid(self, fields: Any) -> None:
        for name in ("seq", "hash", "disclosed", "organization", "checkpoints", "before", "after"):
            for line in (GOOD, MANIFEST):
                members = json.loads(line)
                members.get("manifest", members)[name] = fields
                altered = json.dumps(members, separators=(",", ":"), ensure_ascii=True).encode()
                try:
                    decoded, _ = decode_line(altered + b"\n")
                except LineInvalid:
                    continue
                assert isinstance(decoded, Entry | Manifest | Skeleton)


class TestReferencePage:
    def test_the_reference_page_is_the_modules_docstring(self) -> None:
        assert audit.lines.__doc__ is not None
        assert audit.lines.__doc__.strip() in PAGE.read_text(encoding="utf-8")
