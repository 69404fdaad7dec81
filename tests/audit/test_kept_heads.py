"""The newest signed heads, in a file that several processes write to."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from audit.kept_heads import KeptHeads
from eventstore.store import LogIdentity, TreeHead
from tests.domain.spec import ACME, OTHER

pytestmark = pytest.mark.servers

LOG = LogIdentity(uuid4(), 1)
NEXT = LogIdentity(LOG.id, 2)


def head(size: int, org_id: object = ACME) -> TreeHead:
    return TreeHead(ACME if org_id == ACME else OTHER, size, b"", f"note {size}\n")


def test_the_newest_head_of_each_organization_counts(tmp_path: Path) -> None:
    kept = KeptHeads(tmp_path / "folder" / "heads.jsonl")
    assert kept.newest() == {}

    for one in (head(3), head(2), head(9, OTHER)):
        kept.keep(LOG, one)

    assert {org: one.size for org, one in kept.newest().items()} == {ACME: 3, OTHER: 9}
    assert kept.newest()[ACME].note == "note 3\n"


def test_a_later_epoch_counts_more_than_a_larger_size(tmp_path: Path) -> None:
    kept = KeptHeads(tmp_path / "heads.jsonl")
    for identity, one in ((LOG, head(9)), (NEXT, head(4)), (LOG, head(10))):
        kept.keep(identity, one)

    assert kept.newest()[ACME].rank == (2, 4)


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "heads.jsonl"
    kept = KeptHeads(path)
    kept.keep(LOG, head(1))
    kept.keep(LOG, head(2, OTHER))
    path.write_bytes(path.read_bytes()[:-9])

    kept.keep(LOG, head(3))

    assert {org: one.size for org, one in kept.newest().items()} == {ACME: 3}


def test_no_head_of_several_writers_is_lost_and_the_file_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "heads.jsonl"
    with ThreadPoolExecutor(4) as writers:
        for number in range(4):
            mine = KeptHeads(path)
            writers.map(lambda n, mine=mine: mine.keep(LOG, head(n)), range(number, 2_400, 4))

    assert KeptHeads(path).newest()[ACME].size == 2_399
    assert len(path.read_bytes().split(b"\n\n")) < 2_400


def test_accepted_losses_are_forgotten(tmp_path: Path) -> None:
    kept = KeptHeads(tmp_path / "heads.jsonl")
    kept.keep(LOG, head(1))

    kept.forget()

    assert kept.newest() == {}


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    KeptHeads(tmp_path / "file" / "heads.jsonl").keep(LOG, head(1))
