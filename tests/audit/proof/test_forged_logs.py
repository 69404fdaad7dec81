"""A log, a head or a node that was tampered with proves nothing."""

import pytest

from audit.proof.proving import Prover
from audit.tree_signer import LogTampered, TreeSigner
from eventstore.mode import LogClosed, LogMode
from eventstore.trees import TreeHead
from tests.audit.proof.trees import FilledStore, prover_of, sealed, signer_of
from tests.domain.spec import ACME, NOW
from tests.spec import opened


@pytest.mark.parametrize("changed", [700, 701, 513, 999])
async def test_an_event_is_not_proven_once_it_or_a_neighbor_was_changed(changed: int) -> None:
    async with sealed(1_000) as (log, store):
        store.change(changed)

        with pytest.raises(LogTampered):
            await (await prover_of(log)).inclusion(700, 1_000)


@pytest.mark.parametrize("changed", [1, 256, 600, 1_000])
async def test_no_changed_event_is_proven_itself(changed: int) -> None:
    async with sealed(1_000) as (log, store):
        store.change(changed)

        for size in (changed, 1_000):
            with pytest.raises(LogTampered):
                await (await prover_of(log)).inclusion(changed, size)


async def test_nothing_is_proven_by_forged_nodes() -> None:
    async with sealed(1_000) as (log, store):
        store.change(10)
        forged = FilledStore(1_000)
        forged.change(10)
        async with opened(forged) as other:
            await signer_of(other).seal_new()
        store.forge_node(1, 0, forged.tree_nodes(ACME, 1, 0, 1)[0])

        with pytest.raises(LogTampered):
            await (await prover_of(log)).inclusion(700, 1_000)
        with pytest.raises(LogTampered):
            await (await prover_of(log)).consistency(900, 1_000)
        with pytest.raises(LogTampered):
            await (await prover_of(log)).inclusion(10, 700)


@pytest.mark.parametrize("left", [990, 0])
async def test_a_log_that_lost_events_proves_nothing(left: int) -> None:
    async with sealed(1_000) as (log, store):
        del store.rows[left:]

        with pytest.raises(LogTampered):
            await prover_of(log)


async def test_a_hole_in_the_log_is_no_event() -> None:
    async with sealed(1_000) as (log, store):
        prover = await prover_of(log)
        del store.rows[600]

        with pytest.raises(LogTampered):
            await prover.inclusion(601, 1_000)


async def test_an_older_signed_size_is_compared_as_well() -> None:
    async with sealed(300) as (log, _):
        other = await signer_of(log).sign(ACME, 200, b"r" * 32)
        await log.put_tree_heads([TreeHead(ACME, 200, b"", other)])

        await (await prover_of(log)).inclusion(7, 201)
        with pytest.raises(LogTampered):
            await (await prover_of(log)).inclusion(7, 200)
        with pytest.raises(LogTampered):
            await (await prover_of(log)).consistency(200, 300)


async def test_a_head_with_a_note_of_another_size_or_key_proves_nothing() -> None:
    async with sealed(9) as (log, _):
        ours, theirs = signer_of(log), TreeSigner(log, b"t" * 32, lambda: NOW)
        head = await ours.seal(ACME, 9)
        for other in (ours.sign(ACME, 8, b"r" * 32), theirs.sign(ACME, 9, b"r" * 32)):
            forged = TreeHead(ACME, 9, head.frontier, await other)
            with pytest.raises(LogTampered):
                Prover(log, ours, forged)


@pytest.mark.parametrize("mode", [LogMode.CONTRADICTED, LogMode.ACCEPTING])
async def test_a_log_that_was_set_back_signs_nothing_until_that_is_accepted(mode: LogMode) -> None:
    async with sealed(9) as (log, store):
        store.set_mode(mode)

        with pytest.raises(LogClosed):
            await prover_of(log)
