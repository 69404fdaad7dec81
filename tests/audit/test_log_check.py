"""A log is compared with its signed trees, those in its database and those kept outside."""

from collections.abc import Callable
from pathlib import Path

import pytest

from audit.kept_heads import FileHeads
from audit.log_check import LogCheck
from audit.merkle import Frontier
from audit.tree_signer import TreeSigner
from domain.base import OrgId
from eventstore.memory import MemoryStore
from eventstore.trees import TreeHead
from tests.domain.spec import ACME, NOW, OTHER
from tests.eventstore.rows import command
from tests.spec import opened

KEY = b"k" * 32
STREAMS = {ACME: OrgId(ACME), OTHER: OrgId(OTHER)}


class Growing(MemoryStore):
    """A log to which somebody else writes right after it was first read."""

    grow: Callable[[], None] | None = None

    def organization_heads(self, part: int = 0) -> dict[OrgId, int]:
        found = super().organization_heads(part)
        self._grow()
        return found

    def newest_tree_heads(self, after: OrgId | None, limit: int, part: int = 0) -> list[TreeHead]:
        found = super().newest_tree_heads(after, limit, part)
        self._grow()
        return found

    def _grow(self) -> None:
        grow, self.grow = self.grow, None
        if grow is not None:
            grow()


def written(store: MemoryStore, events: int, before: int = 0) -> None:
    """Record events of both organizations."""
    for org_id, stream in STREAMS.items():
        store.commit([command(stream, before, events=events, org_id=org_id)])


@pytest.fixture
def kept(tmp_path: Path) -> FileHeads:
    return FileHeads(tmp_path / "heads.jsonl")


async def losses_of(store: MemoryStore, kept: FileHeads) -> dict[OrgId, int]:
    """Return how many events of each organization that lost some are known to be there."""
    async with opened(store) as log:
        losses = await LogCheck(log, TreeSigner(log, KEY, lambda: NOW), kept).losses()
    return {loss.org_id: loss.kept for loss in losses}


async def signed(store: MemoryStore, kept: FileHeads) -> None:
    """Sign the trees of a log as they are."""
    async with opened(store) as log:
        await TreeSigner(log, KEY, lambda: NOW, kept).seal_new()


@pytest.mark.parametrize("parts", [1, 8])
async def test_a_log_that_has_what_was_signed_lost_nothing(kept: FileHeads, parts: int) -> None:
    store = MemoryStore(parts=parts)
    written(store, 3)
    await signed(store, kept)
    written(store, 2, before=3)

    assert await losses_of(store, kept) == {}


@pytest.mark.parametrize("parts", [1, 8])
async def test_a_shorter_log_lost_what_is_only_kept_outside(kept: FileHeads, parts: int) -> None:
    store = MemoryStore(parts=parts)
    written(store, 3)
    await signed(store, kept)
    older = MemoryStore(parts=parts)
    older.commit([command(STREAMS[ACME], events=3), command(OTHER, events=2, org_id=OTHER)])
    for head in store.newest_tree_heads(None, 9, older_part(older, ACME)):
        if head.org_id == ACME:
            older.put_tree_heads([head])
    older._identity = store.identity()

    assert await losses_of(older, kept) == {OTHER: 2}


def older_part(store: MemoryStore, org_id: OrgId) -> int:
    """Return the partition of an organization."""
    return next(part for part in range(store.parts) if org_id in store.organization_heads(part))


async def test_a_stored_tree_that_is_not_the_signed_one_is_a_loss(kept: FileHeads) -> None:
    store = MemoryStore()
    written(store, 3)
    await signed(store, kept)
    [acme] = [head for head in store.newest_tree_heads(None, 9) if head.org_id == ACME]
    store.drop_tree_heads(ACME, above=0)
    other = Frontier(3, (b"a" * 32, b"b" * 32)).to_bytes()
    store.put_tree_heads([TreeHead(ACME, 3, other, acme.note)])

    assert await losses_of(store, kept) == {ACME: 0}


async def test_a_stored_head_beyond_the_log_is_a_loss_without_any_kept_head(
    kept: FileHeads,
) -> None:
    longer, store = MemoryStore(), MemoryStore()
    written(longer, 3)
    await signed(longer, kept)
    kept.forget()
    written(store, 2)
    store.put_tree_heads([h for h in longer.newest_tree_heads(None, 9) if h.org_id == ACME])

    assert await losses_of(store, kept) == {ACME: 2}


async def test_what_others_record_and_sign_meanwhile_is_no_loss(kept: FileHeads) -> None:
    store, later = Growing(), MemoryStore()
    for one in (store, later):
        written(one, 3)
    await signed(store, kept)
    written(later, 1, before=3)
    await signed(later, kept)
    kept.forget()

    def grow() -> None:
        written(store, 1, before=3)
        store.put_tree_heads(later.newest_tree_heads(None, 9))

    store.grow = grow

    assert await losses_of(store, kept) == {}


async def test_a_tree_that_somebody_else_signs_meanwhile_is_not_tampered_with(
    kept: FileHeads, caplog: pytest.LogCaptureFixture
) -> None:
    store, later = Growing(), MemoryStore()
    for one in (store, later):
        written(one, 3)
    written(later, 1, before=3)
    await signed(later, kept)

    def grow() -> None:
        written(store, 1, before=3)
        store.put_tree_heads(later.newest_tree_heads(None, 9))

    async with opened(store) as log:
        tree_signer = TreeSigner(log, KEY, lambda: NOW)
        [acme] = [head for head in later.newest_tree_heads(None, 9) if head.org_id == ACME]
        grow()
        assert await tree_signer.seal(ACME, 3) == acme

    assert "no longer signed" not in caplog.text


async def test_a_kept_head_of_an_organization_without_events_is_a_loss(kept: FileHeads) -> None:
    store = MemoryStore()
    written(store, 3)
    await signed(store, kept)
    empty = MemoryStore()
    empty._identity = store.identity()

    assert await losses_of(empty, kept) == {ACME: 0, OTHER: 0}
