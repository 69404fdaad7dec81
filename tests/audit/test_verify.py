"""The verifier notices every change to an export and names the line."""

import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audit.lines import Entry, commitment, event_line, manifest_line, skeleton_line
from audit.merkle import Frontier, leaf_hash
from audit.note import Signer, origin_of
from audit.report import PROBLEMS_MAX, Report
from audit.verify import verify
from tests.audit.exports import (
    ACME,
    LOG,
    NOW,
    PRIVATE_KEY,
    SIGNER,
    STRANGER,
    checkpoint,
    closed,
    entry,
    export,
    hashes,
    kept,
    manifest,
)

KEY = SIGNER.vkey
OTHER = "0190a1b2-0000-7000-8000-000000000002"
WHOLE = export()
FILTERED = export(hidden=[2, 3, 7])
PART = export(first=4, last=7, sizes=[5, 9])
SAMPLES = [WHOLE, FILTERED, PART]
BYTES = [b"".join(lines) for lines in SAMPLES]


def check(lines: list[bytes], **options: Any) -> Report:
    return verify(lines, KEY, **options)


def found(report: Report) -> list[tuple[int, str]]:
    return [(problem.line, problem.what) for problem in report.problems]


def by_newline(data: bytes) -> list[bytes]:
    return list(io.BytesIO(data))


def forged(seq: int, change: Callable[[Entry], Entry], **options: Any) -> list[bytes]:
    """Return an export whose event *seq* is changed, with matching checksum and trailer."""
    *lines, _ = export(**options)
    lines[seq] = event_line(change(entry(seq)))
    return closed(lines)


class TestGoodExports:
    def test_a_good_export_is_proven_from_first_to_last(self) -> None:
        report = check(WHOLE, previous=kept(9))

        assert report.ok
        assert (report.events, report.skeletons, report.proven) == (9, 0, 9)
        assert str(report) == "OK: 9 events, 0 skeletons, proven to 9"

    def test_a_filtered_export_verifies(self) -> None:
        report = check(FILTERED)

        assert report.ok
        assert (report.events, report.skeletons, report.proven) == (6, 3, 9)

    @pytest.mark.parametrize("first", range(1, 10))
    def test_an_export_of_any_range_verifies(self, first: int) -> None:
        for last in range(first - 1, 10):
            report = check(export(first, last, [9]))
            assert report.ok, str(report)
            assert report.proven == last

    def test_an_export_without_events_verifies(self) -> None:
        assert check(export(1, 0, [0])).ok

    def test_a_key_may_be_named_after_the_origin(self) -> None:
        origin = origin_of(LOG, ACME)
        own = Signer(origin, PRIVATE_KEY)
        lines = export(checkpoints=(checkpoint(9, own),), vkey=own.vkey)

        assert verify(lines, own.vkey).ok

    def test_the_report_says_if_the_key_was_taken_from_the_file(self) -> None:
        report = verify(WHOLE)

        assert report.ok
        assert not report.key_is_trusted
        assert f"the key was taken from the file itself: {KEY}" in str(report)

    @pytest.mark.parametrize("size", [0, 3, 4, 9])
    def test_an_export_can_continue_an_earlier_checkpoint(self, size: int) -> None:
        assert check(WHOLE, previous=kept(size)).ok


class TestDamage:
    @settings(max_examples=400, deadline=None)
    @given(sample=st.sampled_from(BYTES), data=st.data())
    def test_any_changed_byte_is_found_in_its_line(
        self, sample: bytes, data: st.DataObject
    ) -> None:
        at = data.draw(st.integers(0, len(sample) - 1))
        byte = data.draw(st.integers(0, 255).filter(lambda value: value != sample[at]))

        report = check(by_newline(sample[:at] + bytes([byte]) + sample[at + 1 :]))

        assert report.problems[0].line == sample.count(b"\n", 0, at) + 1

    @pytest.mark.parametrize("bit", [1, 32])
    def test_every_changed_byte_of_each_kind_of_line_is_found(self, bit: int) -> None:
        sample = FILTERED[:3] + FILTERED[-1:]
        for number, line in enumerate(sample, start=1):
            lines = list(FILTERED)
            at_line = number if number < 4 else len(FILTERED)
            for at in range(0, len(line), 7 if number == 1 else 1):
                damaged = line[:at] + bytes([line[at] ^ bit]) + line[at + 1 :]
                lines[at_line - 1] = damaged
                assert check(by_newline(b"".join(lines))).problems[0].line == at_line

    @settings(max_examples=100, deadline=None)
    @given(sample=st.sampled_from(BYTES), data=st.data())
    def test_a_truncated_file_is_found(self, sample: bytes, data: st.DataObject) -> None:
        end = data.draw(st.integers(0, len(sample) - 1))

        report = check(by_newline(sample[:end]))

        assert not report.ok
        assert report.problems[0].line >= sample.count(b"\n", 0, end)

    @pytest.mark.parametrize("line", [3, 6, 10])
    @pytest.mark.parametrize("before", [b'"hash":"', b'"seq":', b'"se'])
    def test_one_damaged_line_does_not_blame_others(self, line: int, before: bytes) -> None:
        lines = list(WHOLE)
        good = lines[line - 1]
        at = good.index(before) + len(before)
        other = b"7" if good[at : at + 1] == b"8" else b"8"
        lines[line - 1] = good[:at] + other + good[at + 1 :]

        assert [found_line for found_line, _ in found(check(lines))] == [line, 11]

    def test_damage_at_the_end_is_reported_with_what_is_missing(self) -> None:
        assert found(check(WHOLE[:8])) == [
            (8, "the file was cut off: lines or the trailer are missing after this line"),
            (8, "seq 8 to 9 is missing above: dropped or cut off"),
        ]

    def test_an_empty_file_is_reported(self) -> None:
        assert [line for line, _ in found(check([]))] == [1]


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("fits", [True, False], ids=["trailer fits", "trailer does not fit"])
class TestLines:
    def test_dropped_lines_are_named(self, sample: list[bytes], fits: bool) -> None:
        first = json.loads(sample[0])["manifest"]["from"]
        for at in range(1, len(sample) - 1):
            lines = sample[:at] + sample[at + 1 :]

            line, what = found(check(closed(lines[:-1]) if fits else lines))[0]

            # the gap shows at the line that is now there, or at the trailer
            assert f"seq {first + at - 1} " in what
            if fits:
                assert line == at + 1

    def test_duplicated_lines_are_named(self, sample: list[bytes], fits: bool) -> None:
        for at in range(1, len(sample) - 1):
            lines = sample[: at + 1] + sample[at:]

            line, what = found(check(closed(lines[:-1]) if fits else lines))[0]

            assert (line, "duplicate" in what) == (at + 2, True)

    def test_swapped_lines_are_named(self, sample: list[bytes], fits: bool) -> None:
        for at in range(1, len(sample) - 2):
            lines = list(sample)
            lines[at], lines[at + 1] = lines[at + 1], lines[at]

            problems = found(check(closed(lines[:-1]) if fits else lines))

            assert [line for line, _ in problems[:2]] == [at + 1, at + 2]
            assert "dropped or moved" in problems[0][1]
            assert "belongs further up" in problems[1][1]

    def test_missing_or_repeated_manifests_and_trailers_are_named(
        self, sample: list[bytes], fits: bool
    ) -> None:
        assert "manifest is missing" in found(check(sample[1:]))[0][1]
        assert found(check(sample[:-1]))[0][0] == len(sample) - 1
        assert (len(sample) + 1, "there is a line after the trailer") in found(
            check([*sample, sample[-1]])
        )
        twice = [sample[0], *sample]
        problems = found(check(closed(twice[:-1]) if fits else twice))
        assert problems[0] == (2, "there is a manifest below the first line")

    def test_lines_cut_off_the_end_are_named(self, sample: list[bytes], fits: bool) -> None:
        for end in range(1, len(sample) - 1):
            lines = closed(sample[:end]) if fits else sample[:end]

            line, what = found(check(lines))[0]

            assert line == (end + 1 if fits else end)
            assert ("missing above" in what) or ("cut off" in what)


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


class TestReports:
    def test_a_report_lists_a_limited_number_of_problems(self) -> None:
        report = check([b"nonsense\n"] * (PROBLEMS_MAX + 20))

        assert len(report.problems) == PROBLEMS_MAX
        assert report.more == 21
        assert "and 21 more problems" in str(report)
        assert not report.ok

    def test_hostile_text_is_escaped_in_reports(self) -> None:
        shown = str(verify(export(vkey="\x1b[2J\nOK: 9 events")))

        assert "\x1b" not in shown
        assert "\nOK" not in shown

    @given(lines=st.lists(st.binary(max_size=60) | st.sampled_from(WHOLE + PART), max_size=6))
    @example(lines=[])
    def test_any_input_gives_a_report(self, lines: list[bytes]) -> None:
        assert not check(lines).ok


class TestMemory:
    def test_memory_does_not_grow_with_the_file(self) -> None:
        def peak(count: int) -> int:
            tree, items = Frontier(), list(map(entry, range(1, 6)))
            for seq in range(1, count + 1):
                tree.append(items[seq % 5].hash)
            note = SIGNER.sign_checkpoint(origin_of(LOG, ACME), count, tree.root(), NOW)
            head = manifest(1, count, [5])._replace(
                tree_size=count, checkpoints=(note,), after=(), filter={}
            )

            def lines() -> Iterator[bytes]:
                yield manifest_line(head)
                for seq in range(1, count + 1):
                    yield skeleton_line(seq, items[seq % 5].hash)

            tracemalloc.start()
            report = verify(lines(), KEY)
            used = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert report.proven == count
            return used

        assert peak(4_000) < peak(400) + 20_000
