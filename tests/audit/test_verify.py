"""The verifier notices every change to an export and names the line."""

import io
import json
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit.lines import manifest_line, skeleton_line
from audit.merkle import Frontier
from audit.note import Signer, origin_of
from audit.report import PROBLEMS_MAX
from audit.verify import verify
from tests.audit.exports import (
    ACME,
    KEY,
    LOG,
    NOW,
    PRIVATE_KEY,
    SIGNER,
    check,
    checkpoint,
    closed,
    entry,
    export,
    found,
    kept,
    manifest,
)

WHOLE = export()
FILTERED = export(hidden=[2, 3, 7])
PART = export(first=4, last=7, sizes=[5, 9])
SAMPLES = [WHOLE, FILTERED, PART]
BYTES = [b"".join(lines) for lines in SAMPLES]


def by_newline(data: bytes) -> list[bytes]:
    return list(io.BytesIO(data))


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
        short = export(last=2, sizes=[2], hidden=[2])
        for number, line in enumerate(short, start=1):
            lines = list(short)
            for at in range(0, len(line), 7 if number == 1 else 1):
                lines[number - 1] = line[:at] + bytes([line[at] ^ bit]) + line[at + 1 :]
                assert check(by_newline(b"".join(lines))).problems[0].line == number

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

        assert peak(1_600) < peak(200) + 20_000
