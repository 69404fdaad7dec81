"""Proofs from stored nodes are those of RFC 6962, at every size, and none of a forged log."""

import asyncio
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.merkle import consistency_path, inclusion_path, leaf_hash
from audit.note import open_checkpoint
from audit.proof.proving import newest_head
from audit.proof.stored_tree import HASHED_AGAIN_MAX, StoredTree
from domain.base import NotFound
from eventstore.append import LogUnavailable
from eventstore.mode import LogMode
from tests.audit.proof.trees import FilledStore, PlainTree, prover_of, sealed, signer_of
from tests.domain.spec import ACME, OTHER
from tests.spec import opened

LARGE = 66_000
"""Events of a log whose tree has full tiles on three levels."""


@lru_cache(maxsize=1)
def large_log() -> tuple[FilledStore, PlainTree]:
    """Return a signed log of ``LARGE`` events, and its tree by definition."""
    store = FilledStore(LARGE)

    async def seal() -> None:
        async with opened(store) as log:
            await signer_of(log).seal_new()

    asyncio.run(seal())
    return store, PlainTree([row.state for row in store.rows])


async def test_every_proof_of_every_small_tree_is_as_the_rfc_defines_it() -> None:
    async with sealed(300) as (log, store):
        plain = PlainTree([row.state for row in store.rows])
        tree = StoredTree(log, ACME, 300)
        for size in range(1, 301):
            assert await tree.root(0, size) == plain.root(0, size)
            for at in range(size):
                path = [await tree.root(*each) for each in inclusion_path(at, size)]
                assert path == plain.path(at, 0, size)
                path = [await tree.root(*each) for each in consistency_path(at + 1, size)]
                assert path == plain.subproof(at + 1, 0, size)


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 300])
async def test_a_proof_comes_with_a_signed_root_of_its_size(size: int) -> None:
    async with sealed(300) as (log, store):
        plain = PlainTree([row.state for row in store.rows])
        verifier = signer_of(log).signer.verifier
        for seq in {1, (size + 1) // 2, size}:
            proven = await (await prover_of(log)).inclusion(seq, size)
            grown = await (await prover_of(log)).consistency(seq, size)

            assert proven.leaf == leaf_hash(b"%d" % seq)
            assert list(proven.path) == plain.path(seq - 1, 0, size)
            assert list(grown.path) == plain.subproof(seq, 0, size)
            for root in (proven.signed, grown.first, grown.second):
                signed = open_checkpoint(root.note, verifier)
                assert (signed.size, signed.root) == (root.size, root.root)
                assert root.root == plain.root(0, root.size)
        assert [head.size for head in await log.tree_heads(ACME)] == [300]


@settings(max_examples=60, deadline=None)
@given(sizes=st.tuples(*[st.integers(1, LARGE) for _ in range(2)]).map(sorted), data=st.data())
def test_proofs_of_large_trees_are_as_the_rfc_defines_them(
    sizes: list[int], data: st.DataObject
) -> None:
    store, plain = large_log()
    first, size = sizes
    seq = data.draw(st.integers(1, size))

    async def prove() -> None:
        async with opened(store) as log:
            prover = await prover_of(log)
            assert list((await prover.inclusion(seq, size)).path) == plain.path(seq - 1, 0, size)
            grown = await prover.consistency(first, size)
            assert list(grown.path) == plain.subproof(first, 0, size)

    asyncio.run(prove())


async def test_a_proof_reads_no_more_than_two_tiles_of_each_level() -> None:
    store, _ = large_log()
    async with opened(CountingStore(store)) as log:  # type: ignore[arg-type]  # forwards the rest
        counted: CountingStore = log.store  # type: ignore[assignment]  # as above
        prover = await prover_of(log)
        counted.events = counted.nodes = 0

        await prover.inclusion(12_345, 50_000)
        await prover.consistency(12_345, 50_000)

        assert counted.events <= 4 * 256 + 1  # around 12,345, 50,000 and the newest, and the event
        assert counted.nodes <= 5 * 256


class CountingStore:
    """A store that counts what is read for a proof."""

    def __init__(self, store: FilledStore) -> None:
        self._store = store
        self.events = self.nodes = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def organization(self, *asked: object) -> object:
        rows = self._store.organization(*asked)  # type: ignore[arg-type]  # passed on
        self.events += len(rows)
        return rows

    def tree_nodes(self, *asked: object) -> object:
        nodes = self._store.tree_nodes(*asked)  # type: ignore[arg-type]  # passed on
        self.nodes += len(nodes)
        return nodes


class TestWhileTheLogGrows:
    async def test_a_proof_is_one_of_the_tree_that_was_signed_before(self) -> None:
        async with sealed(300) as (log, store):
            plain = PlainTree([row.state for row in store.rows])
            prover = await prover_of(log)
            store.add(400)
            await signer_of(log).seal_new()

            proven = await prover.inclusion(7, 300)

            assert list(proven.path) == plain.path(6, 0, 300)

    async def test_every_size_signed_on_the_way_is_continued(self) -> None:
        async with sealed(1) as (log, store):
            for grown in (1, 254, 255, 256, 257, 513, 1_000):
                store.add(grown)
                prover = await prover_of(log)
                newest = (await log.tree_heads(ACME))[-1].size
                for head in await log.tree_heads(ACME):
                    kept = await prover.consistency(head.size, newest)
                    assert kept.first.note == head.note

    async def test_an_organization_without_events_has_no_head(self) -> None:
        async with sealed(1) as (log, _):
            with pytest.raises(NotFound):
                await newest_head(log, signer_of(log), OTHER)


class TestNodes:
    async def test_a_log_of_an_earlier_version_gets_its_nodes_when_the_signer_starts(self) -> None:
        async with sealed(70_000) as (log, store):
            whole = {level: store.tree_nodes(ACME, level, 0, 999) for level in (1, 2, 3)}
            assert [len(nodes) for nodes in whole.values()] == [273, 1, 0]
            store.forget_nodes()
            with pytest.raises(LogUnavailable):
                await (await prover_of(log)).inclusion(1, 70_000)

            await signer_of(log).seal_new()

            assert {n: store.tree_nodes(ACME, n, 0, 999) for n in (1, 2, 3)} == whole

    async def test_a_few_nodes_that_are_missing_are_hashed_again(self) -> None:
        async with sealed(256 * HASHED_AGAIN_MAX + 9) as (log, store):
            proof = await (await prover_of(log)).inclusion(1, 256 * HASHED_AGAIN_MAX)
            store.forget_nodes()

            again = await (await prover_of(log)).inclusion(1, 256 * HASHED_AGAIN_MAX)

            assert again == proof

    async def test_what_a_read_only_log_has_not_signed_yet_is_proven_and_not_stored(self) -> None:
        async with sealed(10) as (log, store):
            store.add(600)
            store.set_mode(LogMode.READ_ONLY)

            proven = await (await prover_of(log)).inclusion(300, 610)

            plain = PlainTree([row.state for row in store.rows])
            assert list(proven.path) == plain.path(299, 0, 610)
            assert store.tree_nodes(ACME, 1, 0, 9) == {}
            assert [head.size for head in await log.tree_heads(ACME)] == [10]


async def test_a_log_that_was_set_back_continues_what_it_kept_and_nothing_that_it_lost() -> None:
    async with sealed(600) as (log, store):
        verifier = signer_of(log).signer.verifier
        heads = [await signer_of(log).head_at(ACME, size) for size in (300, 600)]
        kept, lost = (open_checkpoint(head.note, verifier) for head in heads)
        del store.rows[400:]
        store.raise_epoch(2)
        store.drop_tree_heads(ACME, 400)
        store.add(300, b"another %d")
        await signer_of(log).seal_new()
        prover = await prover_of(log)

        grown = await prover.consistency(300, 700)
        rewritten = await prover.consistency(600, 700)
        proven = await prover.inclusion(450, 700)

        plain = PlainTree([row.state for row in store.rows])
        assert list(grown.path) == plain.subproof(300, 0, 700)
        assert grown.first.root == kept.root
        assert rewritten.first.root != lost.root
        assert list(proven.path) == plain.path(449, 0, 700)
        assert proven.leaf == leaf_hash(b"another 450")
        assert f"/{ACME}/2\n" in proven.signed.note
