"""Trees are signed as the log grows, and never continued once the log was changed."""

from collections.abc import AsyncIterator

import pytest

from audit.merkle import Frontier, leaf_hash, root_of
from audit.note import open_checkpoint
from audit.tree_signer import LogTampered, TreeSigner
from commands.work.task import EditTask
from domain.base import PLATFORM
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from eventstore.trees import TreeHead
from tests.audit.acme import found_acme
from tests.domain.spec import ACME, NOW
from tests.spec import context, opened

KEY = b"k" * 32


@pytest.fixture
async def log() -> AsyncIterator[EventLog]:
    async with opened(MemoryStore()) as log:
        yield log


def signer_of(log: EventLog) -> TreeSigner:
    return TreeSigner(log, KEY, lambda: NOW)


async def test_every_organizations_stored_bytes_are_in_a_signed_tree(log: EventLog) -> None:
    await found_acme(log)
    tree_signer = signer_of(log)

    assert await tree_signer.seal_new() == 2  # Acme, and the platform for accounts

    for org_id in (ACME, PLATFORM):
        rows = await log.organization(org_id, 0, 1_000)
        head = await log.newest_tree_head(org_id)
        assert head is not None
        checkpoint = open_checkpoint(head.note, tree_signer.signer.verifier)
        assert checkpoint.size == len(rows)
        assert checkpoint.root == root_of([leaf_hash(row.state) for row in rows])


async def test_only_trees_that_grew_are_signed_again(log: EventLog) -> None:
    handler, _, tasks = await found_acme(log)
    tree_signer = signer_of(log)
    await tree_signer.seal_new()

    assert await tree_signer.seal_new() == 0
    await handler.handle(EditTask(task_id=tasks[1], title="Another"), context())
    assert await tree_signer.seal_new() == 1

    heads = await log.tree_heads(ACME)
    assert [head.size for head in heads] == sorted({head.size for head in heads})
    assert heads[-1].size == heads[-2].size + 1


async def test_signers_that_share_the_partitions_sign_every_tree_once() -> None:
    async with opened(MemoryStore(parts=8)) as log:
        handler, _, tasks = await found_acme(log)
        acme, platform = log.part(ACME), log.part(PLATFORM)
        one, two = signer_of(log), signer_of(log)

        assert await one.seal_new(lambda part: part == platform) == 1
        assert await two.seal_new(lambda part: part == acme) == 1
        await handler.handle(EditTask(task_id=tasks[1], title="Another"), context())
        assert await one.seal_new(lambda part: part == platform) == 0
        assert await one.seal_new() == 1  # the other one has gone: all trees there are looked at

        size = (await log.organization_heads(acme))[ACME]
        head = await log.newest_tree_head(ACME)
        assert head is not None
        assert head.size == size


async def test_two_signers_agree_at_every_size(log: EventLog) -> None:
    await found_acme(log)
    size = (await log.organization_heads())[ACME]
    stepwise, at_once = signer_of(log), signer_of(log)

    for part in range(1, size + 1):
        head = await stepwise.head_at(ACME, part)
        assert await at_once.head_at(ACME, part) == head
        rows = await log.organization(ACME, 0, part)
        root = root_of([leaf_hash(row.state) for row in rows])
        assert Frontier.from_bytes(head.frontier).root() == root


async def test_nothing_is_signed_if_the_log_is_shorter_than_a_signed_head(log: EventLog) -> None:
    await found_acme(log)
    size = (await log.organization_heads())[ACME]
    tree_signer = signer_of(log)
    longer = Frontier()
    for _ in range(size + 3):
        longer.append(leaf_hash(b"gone"))
    note = tree_signer.signer.sign_checkpoint(f"trackrecord/{ACME}", size + 3, longer.root(), NOW)
    await log.put_tree_heads([TreeHead(ACME, size + 3, longer.to_bytes(), note)])

    with pytest.raises(LogTampered):
        await tree_signer.seal(ACME, size)
    with pytest.raises(LogTampered):
        await tree_signer.head_at(ACME, size + 4)


async def test_a_tampered_head_is_not_continued(log: EventLog) -> None:
    await found_acme(log)
    tree_signer = signer_of(log)
    good = await tree_signer.head_at(ACME, 2)
    other = Frontier()
    other.append(leaf_hash(b"other"))
    forged = TreeHead(ACME, 3, other.to_bytes(), good.note)
    await log.put_tree_heads([forged])

    with pytest.raises(LogTampered):
        await tree_signer.head_at(ACME, 4)
