"""Proofs are the same from every database, also while it is written to and after a restart."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from audit.proof.proving import Prover, newest_head
from eventstore.open import open_store
from eventstore.store import Store
from tests.audit.proof.trees import STREAM, PlainTree, signer_of
from tests.domain.spec import ACME
from tests.eventstore.conftest import postgres_server, postgres_url
from tests.eventstore.rows import command
from tests.spec import opened

__all__ = ["postgres_server", "postgres_url"]

pytestmark = pytest.mark.servers


@pytest.fixture(params=["sqlite", "postgresql", "partitions"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Yield an empty log in each database."""
    url = f"sqlite:///{tmp_path}/events.db"
    if request.param != "sqlite":
        url = request.getfixturevalue("postgres_url")
    if request.param == "partitions":
        url += "?partitions=8"
    with closing(open_store(url)) as opened_store:
        opened_store.create()
        yield opened_store


async def test_proofs_are_those_of_the_rfc_from_every_database(store: Store) -> None:
    async with opened(store) as log:
        signer = signer_of(log)
        for size in (200, 700):
            done = len(await log.organization(ACME, 0, 1_000))
            store.commit([command(STREAM, done, events=size - done)])
            await signer.seal_new()
        rows = await log.organization(ACME, 0, 1_000)
        plain = PlainTree([row.state for row in rows])
        prover = Prover(log, signer, await newest_head(log, signer, ACME))

        for seq, size in ((1, 1), (256, 256), (257, 700), (200, 513), (700, 700)):
            proven = await prover.inclusion(seq, size)
            grown = await prover.consistency(seq, size)
            assert list(proven.path) == plain.path(seq - 1, 0, size)
            assert list(grown.path) == plain.subproof(seq, 0, size)
        assert len(await log.tree_nodes(ACME, 1, 0, 9)) == 2
