"""A stored proof is checked without the log, and nothing that was changed in it is accepted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit.merkle import consistency_proof, inclusion_proof, leaf_hash, root_of
from audit.note import TreeCheckpoint, origin_of
from audit.proof.check import PROOF_FORMAT, ProofReport, ProofUnreadable, check_proof
from audit.standalone import main
from tests.audit.exports import (
    ACME,
    KEY,
    LOG,
    SIGNER,
    STRANGER,
    b64,
    checkpoint,
    entry,
    export,
    hashes,
    kept,
)

Change = Callable[[dict[str, Any]], object]


def inclusion(seq: int = 3, size: int = 9) -> dict[str, Any]:
    """Return the proof of an event of the fictitious organization, as the API answers it."""
    item = entry(seq)
    assert item.disclosed is not None
    disclosed = {path: [b64(salt), value] for path, (salt, value) in item.disclosed.items()}
    return {
        "format": PROOF_FORMAT,
        "kind": "inclusion",
        "organization": ACME,
        "vkey": KEY,
        "seq": seq,
        "leafHash": item.hash.hex(),
        "proof": [node.hex() for node in inclusion_proof(hashes(size), seq - 1)],
        "size": size,
        "root": root_of(hashes(size)).hex(),
        "checkpoint": checkpoint(size),
        "event": {
            "recordedAt": item.recorded_at,
            "state": item.state.decode(),
            "disclosed": disclosed,
        },
    }


def consistency(first: int = 4, second: int = 9) -> dict[str, Any]:
    """Return the proof that the log grew."""
    return {
        "format": PROOF_FORMAT,
        "kind": "consistency",
        "organization": ACME,
        "vkey": KEY,
        "proof": [node.hex() for node in consistency_proof(hashes(second), first)],
        "from": root(first),
        "to": root(second),
    }


def root(size: int) -> dict[str, Any]:
    return {"size": size, "root": root_of(hashes(size)).hex(), "checkpoint": checkpoint(size)}


def checked(proof: Any, trusted: str | None = KEY, **options: Any) -> ProofReport:
    report = check_proof(json.dumps(proof).encode(), trusted, **options)
    assert report is not None
    return report


class TestGoodProofs:
    @pytest.mark.parametrize("indent", [None, 2])
    def test_an_event_is_proven(self, indent: int | None) -> None:
        report = check_proof(json.dumps(inclusion(), indent=indent).encode(), KEY)

        assert str(report) == (
            f"OK: event 3 (task.created) is among the first 9 of organization {ACME},"
            " signed at 2026-03-01T12:00:00Z"
        )

    def test_growth_is_proven(self) -> None:
        assert str(checked(consistency())) == (
            f"OK: the first 9 events of organization {ACME} begin with the first 4,"
            " signed at 2026-03-01T12:00:00Z"
        )

    def test_every_size_is_proven(self) -> None:
        for size in range(1, 12):
            for seq in range(1, size + 1):
                assert checked(inclusion(seq, size)).problems == []
                assert checked(consistency(seq, size)).problems == []

    def test_personal_values_and_the_event_can_be_kept_back(self) -> None:
        proof = inclusion()
        proof["event"]["disclosed"] = {}
        assert checked(proof).problems == []
        proof["event"] = None
        report = checked(proof)
        assert report.problems == []
        assert "its contents are not in the file" in str(report)

    def test_without_a_trusted_key_the_report_says_whose_was_used(self) -> None:
        assert f"note: the key was taken from the file itself: {KEY}" in str(
            checked(inclusion(), None)
        )

    def test_a_kept_checkpoint_is_compared(self) -> None:
        assert checked(consistency(), previous=kept(4)).problems == []
        assert checked(consistency(), previous=kept(9)).problems == []
        assert checked(inclusion(), previous=kept(9)).problems == []

    def test_a_checkpoint_of_an_earlier_epoch_counts_for_what_was_kept(self) -> None:
        proof, later = consistency(), origin_of(LOG, ACME, 2)
        proof["to"]["checkpoint"] = checkpoint(9, origin=later)

        assert checked(proof, previous=kept(4)).problems == []


FORGERIES: dict[str, tuple[Change, str]] = {
    "another title": (
        lambda p: p["event"].update(state=p["event"]["state"].replace("task.c", "task.d")),
        "the state does not match the leaf hash",
    ),
    "another leaf": (
        lambda p: p.update(leafHash=leaf_hash(b"other").hex()),
        "the state does not match the leaf hash",
    ),
    "another disclosed value": (
        lambda p: p["event"]["disclosed"]["event.title"].__setitem__(1, "Paint"),
        "the disclosed event.title does not match its commitment",
    ),
    "another seq": (lambda p: p.update(seq=4), "the leaf does not lead to the root"),
    "a seq beyond": (lambda p: p.update(seq=10), "a tree of 9 has no leaf 9"),
    "a seq of none": (lambda p: p.update(seq=0), "a tree of 9 has no leaf -1"),
    "a hash less": (lambda p: p["proof"].pop(), "the proof is shorter"),
    "a hash more": (lambda p: p["proof"].append(p["root"]), "the proof is longer"),
    "hashes swapped": (lambda p: p["proof"].reverse(), "the leaf does not lead to the root"),
    "another size": (lambda p: p.update(size=10), "another size or root"),
    "another root": (lambda p: p.update(root="00" * 32), "another size or root"),
    "a forged checkpoint": (
        lambda p: p.update(checkpoint=p["checkpoint"].replace("\n9\n", "\n8\n")),
        "does not match the text",
    ),
    "a stranger's checkpoint": (
        lambda p: p.update(checkpoint=checkpoint(9, STRANGER)),
        "has not signed this",
    ),
    "another organization's checkpoint": (
        lambda p: p.update(checkpoint=checkpoint(9, origin=origin_of(LOG, "0190a1b2"))),
        "belongs to trackrecord.example/0190a1b2",
    ),
    "another organization": (lambda p: p.update(organization="0190a1b2"), "belongs to"),
    "another key": (lambda p: p.update(vkey=STRANGER.vkey), "is trusted"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_proof_is_refused_and_the_reason_is_named(forgery: str) -> None:
    change, expected = FORGERIES[forgery]
    proof = inclusion()
    change(proof)

    report = checked(proof)

    assert any(expected in problem for problem in report.problems), report
    assert "\nNOT OK" in str(report)


def test_a_log_that_was_rewritten_does_not_continue_a_kept_checkpoint() -> None:
    rewritten = kept(4, root=root_of([leaf_hash(b"other")] * 4))
    assert checked(consistency(), previous=rewritten).problems == [
        "history was rewritten: the previous checkpoint has another root"
    ]
    assert checked(consistency(), previous=kept(5)).problems == [
        "the previous checkpoint has size 5, not 4 or 9"
    ]
    other = TreeCheckpoint(origin_of(LOG, "other"), 4, kept(4).root)
    assert checked(consistency(), previous=other).problems == [
        f"the previous checkpoint belongs to {LOG}/other"
    ]
    forged = consistency()
    forged["from"] = root(3)
    assert checked(forged).problems == ["the proof is shorter than the height of the tree"]


def test_a_state_that_is_no_json_is_no_event() -> None:
    proof = inclusion(1, 1)
    leaf = leaf_hash(b"{")
    proof["event"]["state"] = "{"
    proof |= {"leafHash": leaf.hex(), "root": leaf.hex()}
    proof["checkpoint"] = SIGNER.sign(TreeCheckpoint(origin_of(LOG, ACME), 1, leaf).text())

    assert checked(proof).problems == ["the state is not JSON"]


def test_a_key_that_cannot_be_read_proves_nothing() -> None:
    report = checked(inclusion(), "nonsense")

    assert report.problems[0].startswith("the key cannot be read")


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.update(format="trackrecord-proof/2"),
        lambda p: p.update(kind="other"),
        lambda p: p.pop("root"),
        lambda p: p.update(seq="3"),
        lambda p: p.update(proof=["00"]),
        lambda p: p.update(proof=[7]),
        lambda p: p.update(leafHash=None),
        lambda p: p.update(event=[]),
        lambda p: p["event"].update(disclosed={"event.title": "x"}),
        lambda p: p.update(organization=None),
    ],
)
def test_what_is_no_proof_of_this_format_is_not_read(change: Change) -> None:
    proof = inclusion()
    change(proof)

    with pytest.raises(ProofUnreadable):
        checked(proof)


@pytest.mark.parametrize(
    "stored", [b"", b"[]", b"{}", b"{", b'{"format":7}', b"[" * 9_999, b"\xff"]
)
def test_other_files_are_no_proofs(stored: bytes) -> None:
    assert check_proof(stored) is None


def test_what_a_proof_says_cannot_control_a_terminal() -> None:
    proof = inclusion()
    proof["organization"] = "\x1b[31m\n"

    assert "\x1b" not in str(checked(proof))


class TestTheVerifier:
    def run(self, path: Path, content: bytes, *options: str) -> int:
        (path / "file").write_bytes(content)
        return main([str(path / "file"), *options])

    def test_it_tells_proofs_from_exports(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        proof = json.dumps(inclusion(), indent=1).encode()
        (tmp_path / "kept").write_text(checkpoint(9))

        assert self.run(tmp_path, proof, "--key", KEY, "--previous", str(tmp_path / "kept")) == 0
        assert self.run(tmp_path, proof.replace(b'"seq": 3', b'"seq": 4'), "--key", KEY) == 1
        assert self.run(tmp_path, proof.replace(b"proof/1", b"proof/2")) == 2
        assert self.run(tmp_path, b"".join(export()), "--key", KEY) == 0
        assert self.run(tmp_path, b"".join(export()[1:]), "--key", KEY) == 1
        assert self.run(tmp_path, b"{}") == self.run(tmp_path, b"") == 2
        said = capsys.readouterr()
        assert said.out.count("OK: event 3") == 1
        assert "trackrecord-proof/1 is known here, not trackrecord-proof/2" in said.err

    def test_a_long_export_without_its_beginning_is_read_line_by_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("audit.standalone.PROOF_BYTES_MAX", 900)

        assert self.run(tmp_path, b"".join(export()[1:]), "--key", KEY) == 1

        assert "(9 events" in capsys.readouterr().out
