"""The newest signed heads, in a file or a bucket that several processes write to."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from audit.kept_heads import FileHeads, HeadsUnavailable, KeptHeads
from devstack.server import Server
from eventstore.store import LogIdentity
from eventstore.trees import TreeHead
from runtime.buckets.bucket_heads import BucketHeads
from tests.domain.spec import ACME, OTHER
from tests.files.s3_server import make_bucket, s3_server

pytestmark = pytest.mark.servers

LOG = LogIdentity(uuid4(), 1)
NEXT = LogIdentity(LOG.id, 2)

Opened = Callable[[], KeptHeads]
"""Opens the same place once more, as another process does."""


def head(size: int, org_id: object = ACME) -> TreeHead:
    return TreeHead(ACME if org_id == ACME else OTHER, size, b"", f"note {size}\n")


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with s3_server(tmp_path_factory.mktemp("s3") / "server") as server:
        yield server


@pytest.fixture(params=["file", "bucket"])
def another(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """Give what opens an empty place."""
    if request.param == "file":
        return lambda: FileHeads(tmp_path / "folder" / "heads.jsonl")
    server: Server = request.getfixturevalue("s3")
    url = make_bucket(server.url, f"b{uuid4().hex}")
    return lambda: BucketHeads(url)


def test_the_newest_head_of_each_organization_counts(another: Opened) -> None:
    kept = another()
    assert kept.newest() == {}

    kept.keep(LOG, [head(3), head(9, OTHER)])
    kept.keep(LOG, [head(2)])
    kept.keep(LOG, [])

    for reader in (kept, another()):
        assert {org: one.size for org, one in reader.newest().items()} == {ACME: 3, OTHER: 9}
        assert reader.newest()[ACME].note == "note 3\n"
        assert reader.newest()[ACME].log == LOG.id


def test_a_later_epoch_counts_more_than_a_larger_size(another: Opened) -> None:
    kept = another()
    for identity, one in ((LOG, head(9)), (NEXT, head(4)), (LOG, head(10))):
        kept.keep(identity, [one])

    assert kept.newest()[ACME].rank == (2, 4)


def test_no_head_of_several_writers_is_lost(another: Opened) -> None:
    with ThreadPoolExecutor(4) as writers:
        for number in range(4):
            mine = another()
            writers.map(lambda n, mine=mine: mine.keep(LOG, [head(n)]), range(number, 80, 4))

    assert another().newest()[ACME].size == 79


def test_accepted_losses_are_forgotten(another: Opened) -> None:
    kept = another()
    kept.keep(LOG, [head(5)])

    another().forget()

    assert kept.newest() == {}
    kept.keep(NEXT, [head(4)])
    assert another().newest()[ACME].rank == (2, 4)


# A file ---------------------------------------------------------------------


def test_a_torn_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "heads.jsonl"
    kept = FileHeads(path)
    kept.keep(LOG, [head(1)])
    kept.keep(LOG, [head(2, OTHER)])
    path.write_bytes(path.read_bytes()[:-9])

    kept.keep(LOG, [head(3)])

    assert {org: one.size for org, one in kept.newest().items()} == {ACME: 3}


def test_the_file_of_several_writers_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "heads.jsonl"
    with ThreadPoolExecutor(4) as writers:
        for number in range(4):
            mine = FileHeads(path)
            writers.map(lambda n, mine=mine: mine.keep(LOG, [head(n)]), range(number, 2_400, 4))

    assert FileHeads(path).newest()[ACME].size == 2_399
    assert len(path.read_bytes().split(b"\n\n")) < 2_400


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    FileHeads(tmp_path / "file" / "heads.jsonl").keep(LOG, [head(1)])


def test_a_file_that_cannot_be_read_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "heads.jsonl").mkdir()

    with pytest.raises(HeadsUnavailable):
        FileHeads(tmp_path / "heads.jsonl").newest()


# A bucket -------------------------------------------------------------------


def test_a_bucket_has_one_object_for_each_organization(s3: Server) -> None:
    url = make_bucket(s3.url, f"b{uuid4().hex}")
    kept = BucketHeads(url)
    for size in range(1, 6):
        kept.keep(LOG, [head(size), head(size, OTHER)])

    assert sorted(kept.paths()) == sorted(f"{org}/000001-{5:012}.json" for org in (ACME, OTHER))


def test_a_bucket_that_does_not_exist_is_an_outage(s3: Server) -> None:
    kept = BucketHeads(f"s3://key:secret@nowhere?endpoint={s3.url}")

    kept.keep(LOG, [head(1)])

    with pytest.raises(HeadsUnavailable):
        kept.newest()


def test_heads_that_a_bucket_did_not_take_are_written_when_it_answers(tmp_path: Path) -> None:
    with s3_server(tmp_path / "first") as server:
        port = int(server.port)
        url = make_bucket(server.url, "heads")
        kept = BucketHeads(url, deadline_s=0.5)
        kept.keep(LOG, [head(1)])

    kept.keep(LOG, [head(2), head(7, OTHER)])
    with pytest.raises(HeadsUnavailable):
        kept.newest()

    with s3_server(tmp_path / "second", port) as server:
        make_bucket(server.url, "heads")
        kept.keep(LOG, [])

        found = BucketHeads(url).newest()

    assert {org: one.size for org, one in found.items()} == {ACME: 2, OTHER: 7}
