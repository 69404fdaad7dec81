"""Proofs over an organization's tree (RFC 9162 sections 2.1.3 and 2.1.4), under signed roots.

Each is checked before it is handed out, from what the log has now up to the newest signed root, so
that a log that was tampered with proves nothing.
"""

from msgspec import Struct

from audit.merkle import (
    ProofInvalid,
    consistency_path,
    inclusion_path,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from audit.note import NoteInvalid, open_checkpoint
from audit.proof.stored_tree import StoredTree
from audit.tree_signer import LogTampered, TreeSigner
from domain.base import NotFound, OrgId
from eventstore.log import EventLog
from eventstore.mode import LogClosed, LogMode
from eventstore.recorded import Row
from eventstore.trees import TreeHead

_CONTRADICTED = (LogMode.CONTRADICTED, LogMode.ACCEPTING)


class SignedRoot(Struct, frozen=True):
    """The root of a tree at one size, and the signed checkpoint that has it."""

    size: int
    root: bytes
    note: str


class Inclusion(Struct, frozen=True):
    """That an event is in the tree under *signed*; the hashes are lowest first."""

    row: Row
    leaf: bytes
    path: tuple[bytes, ...]
    signed: SignedRoot


class Consistency(Struct, frozen=True):
    """That the tree under *second* continues the one under *first*; the hashes are lowest first."""

    first: SignedRoot
    second: SignedRoot
    path: tuple[bytes, ...]


async def newest_head(log: EventLog, tree_signer: TreeSigner, org_id: OrgId) -> TreeHead:
    """Return the signed head over all that an organization has recorded.

    :raises NotFound: it has recorded nothing.
    :raises LogTampered: the log contradicts what was signed.
    :raises LogClosed: it did so when it was opened, and no operator has accepted that.
    """
    mode = await log.mode()
    if mode in _CONTRADICTED:
        raise LogClosed(mode)
    size = await log.organization_head(org_id)
    if not size and await log.newest_tree_head(org_id) is None:
        raise NotFound
    return await tree_signer.seal(org_id, size)


class Prover:
    """Makes proofs in the tree under *newest*, the newest signed head of an organization."""

    def __init__(self, log: EventLog, tree_signer: TreeSigner, newest: TreeHead) -> None:
        self._log, self._signer, self._org_id = log, tree_signer, newest.org_id
        self._newest = self._opened(newest)
        self._tree = StoredTree(log, newest.org_id, newest.size)

    async def inclusion(self, seq: int, size: int) -> Inclusion:
        """Prove that event *seq* is one of the first *size*, which are signed.

        :raises LogTampered: the log is not what was signed.
        """
        signed = await self._signed(size)
        path = await self._roots(inclusion_path(seq - 1, size))
        rows = await self._log.organization_at(self._org_id, [seq])
        leaf = leaf_hash(rows[0].state) if rows else b""
        try:
            verify_inclusion(leaf, seq - 1, size, path, signed.root)
        except ProofInvalid as reason:
            raise LogTampered(f"{self._org_id}: event {seq} of {size}: {reason}") from reason
        return Inclusion(rows[0], leaf, path, signed)

    async def consistency(self, first: int, second: int) -> Consistency:
        """Prove that the first *second* events, which are signed, begin with the first *first*.

        :raises LogTampered: the log is not what was signed.
        """
        old, new = await self._signed(first), await self._signed(second)
        path = await self._continued(old, new)
        return Consistency(old, new, path)

    async def _signed(self, size: int) -> SignedRoot:
        """Return the root of *size*, which the newest signed one continues, with a checkpoint."""
        root = await self._tree.root(0, size)
        await self._continued(SignedRoot(size, root, ""), self._newest)
        if size == self._newest.size:
            return self._newest
        known = await self._log.newest_tree_head(self._org_id, size)
        if known is None or known.size != size:  # all that it says is in the newest one as well
            return SignedRoot(size, root, await self._signer.sign(self._org_id, size, root))
        signed = self._opened(known)
        if signed.root != root:
            raise LogTampered(f"{self._org_id}: the first {size} events are not what was signed")
        return signed

    async def _continued(self, old: SignedRoot, new: SignedRoot) -> tuple[bytes, ...]:
        path = await self._roots(consistency_path(old.size, new.size))
        try:
            verify_consistency(old.size, new.size, old.root, new.root, path)
        except ProofInvalid as reason:
            told = f"{self._org_id}: {old.size} events and {new.size}: {reason}"
            raise LogTampered(told) from reason
        return path

    async def _roots(self, path: list[tuple[int, int]]) -> tuple[bytes, ...]:
        return tuple([await self._tree.root(low, high) for low, high in path])

    def _opened(self, head: TreeHead) -> SignedRoot:
        try:
            checkpoint = open_checkpoint(head.note, self._signer.signer.verifier)
        except NoteInvalid as error:
            told = f"{head.org_id}: the head at {head.size} was not signed by us"
            raise LogTampered(told) from error
        if checkpoint.size != head.size:
            raise LogTampered(f"{head.org_id}: the head at {head.size} says {checkpoint.size}")
        return SignedRoot(checkpoint.size, checkpoint.root, head.note)
