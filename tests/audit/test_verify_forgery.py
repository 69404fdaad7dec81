"""The verifier finds forged events, checkpoints and histories, whatever fits around them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from audit.lines import Entry, commitment, event_line, manifest_line, skeleton_line
from audit.merkle import Frontier, leaf_hash
from audit.note import origin_of
from audit.verify import verify
from tests.audit.exports import (
    ACME,
    LOG,
    NOW,
    SIGNER,
    STRANGER,
    check,
    checkpoint,
    closed,
    entry,
    export,
    found,
    hashes,
    kept,
    manifest,
)

OTHER = "0190a1b2-0000-7000-8000-000000000002"
WHOLE = export()
FILTERED = export(hidden=[2, 3, 7])
PART = export(first=4, last=7, sizes=[5, 9])


def forged(seq: int, change: Callable[[Entry], Entry], **options: Any) -> list[bytes]:
    """Return an export whose event *seq* is changed, with matching checksum and trailer."""
    *lines, _ = export(**options)
    lines[seq] = event_line(change(entry(seq)))
    return closed(lines)


class TestForgery:
    def test_a_forged_state_with_its_old_hash_names_only_its_line(self) -> None:
        lines = forged(5, lambda item: item._replace(state=item.state.replace(b"e5", b"e6")))

        assert found(check(lines)) == [(6, "the state does not match its hash")]

    def test_a_forged_state_with_a_new_hash_names_the_lines_since_the_last_good_checkpoint(
        self,
    ) -> None:
        def change(item: Entry) -> Entry:
            state = item.state.replace(b'"e6"', b'"e0"')
            return item._replace(state=state, hash=leaf_hash(state))

        (problem,) = check(forged(6, change)).problems

        assert (problem.line, problem.last_line) == (6, 10)
        assert problem.what == "seq 5 to 9: they do not lead to the signed root of size 9"
        assert str(problem).startswith("lines 6 to 10: seq 5 to 9")
        assert check(forged(6, change)).proven == 4

    def test_a_forgery_before_a_checkpoint_is_reported_once(self) -> None:
        lines = forged(2, lambda item: item._replace(hash=leaf_hash(b"{}"), state=b"{}"))
        problems = check(lines).problems

        assert [(p.line, p.last_line) for p in problems] == [(3, None), (2, 5)]

    def test_a_forged_skeleton_hash_is_found_by_the_root(self) -> None:
        *lines, _ = FILTERED
        lines[7] = skeleton_line(7, leaf_hash(b"another"))

        assert found(check(closed(lines)))[0][0] == 6

    @pytest.mark.parametrize(
        ("change", "what"),
        [
            ({"stream": ACME}, "metadata.stream of the state"),
            ({"version": 8}, "metadata.version of the state"),
            ({"type": "task.deleted"}, "event.type of the state"),
        ],
    )
    def test_a_member_that_differs_from_the_state_is_found(
        self, change: dict[str, Any], what: str
    ) -> None:
        report = check(forged(3, lambda item: item._replace(**change)))

        assert found(report) == [(4, f"{what} is not what the line says")]

    @pytest.mark.parametrize(
        "path",
        ["event.title", "event.no", "event.tags.0", "event.tags.9", "event.tags.x", "event.type.x"],
    )
    def test_a_forged_disclosed_value_is_found(self, path: str) -> None:
        report = check(forged(3, lambda item: item._replace(disclosed={path: (b"s", "v")})))

        assert found(report) == [(4, f"the disclosed {path} does not match its commitment")]

    def test_events_hidden_without_a_filter_are_found(self) -> None:
        report = check(export(hidden=[2], filter=None))

        assert found(report) == [(3, "there is a skeleton in an export without a filter")]

    def test_a_state_that_is_not_json_is_found(self) -> None:
        for state in (b"{", b"[" * 100_000, b"\xff"):

            def change(item: Entry, state: bytes = state) -> Entry:
                return item._replace(state=state, hash=leaf_hash(state))

            assert found(check(forged(3, change)))[0] == (4, "the state is not JSON")


class TestValuesInLists:
    def test_values_in_lists_are_disclosed_by_their_index(self) -> None:
        state = json.dumps(
            {
                "metadata": {"stream": "s", "version": 1},
                "event": {"type": "t", "names": [{"first": commitment(b"salt", "Ana")}]},
            }
        ).encode()
        item = entry(1)._replace(
            stream="s",
            version=1,
            type="t",
            state=state,
            hash=leaf_hash(state),
            disclosed={"event.names.0.first": (b"salt", "Ana")},
        )
        note = SIGNER.sign_checkpoint(origin_of(LOG, ACME), 1, item.hash, NOW)
        first = manifest_line(manifest(1, 1, [1], checkpoints=(note,)))

        assert check(closed([first, event_line(item)])).ok


class TestCheckpoints:
    @pytest.mark.parametrize(
        ("other", "what"),
        [
            ({"checkpoints": ()}, "no checkpoint proves anything"),
            ({"checkpoints": ("nonsense",)}, "checkpoint 1 of 1: a note must be text"),
            ({"checkpoints": (checkpoint(9, STRANGER),)}, "has not signed this"),
            (
                {"checkpoints": (checkpoint(9).replace("\n9\n", "\n8\n"),)},
                "does not match the text",
            ),
            (
                {"checkpoints": (checkpoint(9, origin=f"{LOG}/other"),)},
                f"it belongs to {LOG}/other",
            ),
            (
                {"checkpoints": (checkpoint(9, origin=f"else/{ACME}"),)},
                f"it belongs to else/{ACME}",
            ),
            ({"checkpoints": (checkpoint(9, origin=LOG),)}, f"it belongs to {LOG}, not to {ACME}"),
            ({"checkpoints": (checkpoint(9), checkpoint(4))}, "size 4 follows size 9"),
            ({"checkpoints": (checkpoint(9), checkpoint(11))}, "only one checkpoint may be"),
            ({"sizes": [4]}, "no checkpoint covers seq 5 to 9"),
            ({"tree_size": 10}, "treeSize is 10"),
            ({"vkey": "nonsense"}, "the file names the key nonsense"),
            ({"vkey": STRANGER.vkey}, f"the file names the key {STRANGER.vkey}"),
            ({"organization": OTHER}, f"not to {OTHER}"),
            ({"before": Frontier(1, hashes(1))}, "`before` does not end where the range begins"),
            ({"before": Frontier()}, "`before` does not end where the range begins"),
        ],
    )
    def test_checkpoints_that_prove_nothing_are_reported_on_the_first_line(
        self, other: dict[str, Any], what: str
    ) -> None:
        problems = found(check(export(**other)))

        assert problems[0][0] == 1
        assert what in problems[0][1]

    def test_checkpoints_with_an_unreadable_key_prove_nothing(self) -> None:
        assert "the key cannot be read" in found(verify(export(vkey="nonsense")))[0][1]

    def test_checkpoints_below_the_range_are_refused(self) -> None:
        problems = found(check(export(4, 9, [9], checkpoints=(checkpoint(2), checkpoint(9)))))

        assert "size 2 is before the range" in problems[0][1]

    def test_checkpoints_reject_another_frontier_before_the_range(self) -> None:
        other = Frontier(3, [leaf_hash(b"a"), leaf_hash(b"b")])
        for sizes, line in (([3, 9], 1), ([9], 2)):
            assert found(check(export(4, 9, sizes, before=other)))[0][0] == line

    def test_checkpoints_reject_another_proof_beyond_the_range(self) -> None:
        (problem,) = check(export(1, 7, [4, 9], after=(leaf_hash(b"x"),) * 3)).problems

        assert (problem.line, problem.last_line) == (6, 8)
        assert "signed root of size 9" in problem.what

    @pytest.mark.parametrize(("first", "last"), [(0, 3), (-1, 3), (5, 3)])
    def test_an_impossible_range_is_reported(self, first: int, last: int) -> None:
        lines = closed([manifest_line(manifest(1, 3, [3])._replace(first=first, last=last))])

        assert not check(lines).ok
        assert found(check(lines))[0][0] == 1

    def test_events_beyond_the_announced_range_are_reported(self) -> None:
        _, *events, _ = WHOLE
        shorter = manifest_line(manifest(1, 7, [9]))

        problems = found(check(closed([shorter, *events])))

        assert (11, "the manifest announces no seq after 7") in problems


class TestPreviousCheckpoint:
    @pytest.mark.parametrize("size", [3, 4, 9])
    def test_a_previous_checkpoint_reveals_rewritten_history(self, size: int) -> None:
        assert not check(WHOLE, previous=kept(size, root=leaf_hash(b"other"))).ok

    def test_a_previous_checkpoint_reveals_a_shorter_log(self) -> None:
        assert "became shorter" in found(check(WHOLE, previous=kept(11)))[0][1]

    def test_a_previous_checkpoint_of_another_log_is_refused(self) -> None:
        report = check(WHOLE, previous=kept(4, origin=f"{LOG}/other"))

        assert "the previous checkpoint: it belongs to" in found(report)[0][1]

    def test_a_previous_checkpoint_outside_the_range_is_reported(self) -> None:
        for size in (2, 8):
            assert "cannot be compared" in found(check(PART, previous=kept(size)))[0][1]
