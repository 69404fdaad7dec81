"""Merkle trees as defined in RFC 6962 section 2.1 and RFC 9162 section 2.1, over SHA-256.

Leaves and nodes are hashed with different prefixes, so no node can pass for a leaf. Sizes and
indexes count leaves from 0; hashes are 32 raw bytes. A proof is a list of subtree roots;
`inclusion_path` and `consistency_path` return those subtrees as half-open ranges of leaves, so that
a store of subtree roots can answer without hashing all leaves again. Everything is pure.
"""

import hashlib
import hmac
from collections.abc import Sequence

HASH_BYTES = 32
TILE_LEVELS = 8
"""Levels of a tree in a tile, which has 256 hashes when it is full, as in C2SP tlog-tiles."""
EMPTY_ROOT = hashlib.sha256(b"").digest()
SIZE_BYTES = 8


class ProofInvalid(Exception):
    """The proof does not prove what it claims to."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one leaf: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: the roots of its perfect subtrees, largest first.

    It is all that is needed to append leaves and compute the root: one hash for every 1 in the
    binary form of the size, so at most 63.
    """

    __slots__ = ("_size", "_subtrees")

    def __init__(self, size: int = 0, subtrees: Sequence[bytes] = ()) -> None:
        """Continue a tree of *size* leaves whose perfect subtrees are *subtrees*.

        :raises ValueError: their number or length does not fit the size.
        """
        if not 0 <= size < 1 << 63 or len(subtrees) != size.bit_count():
            raise ValueError(f"{len(subtrees)} subtrees cannot be the frontier of size {size}")
        if any(len(subtree) != HASH_BYTES for subtree in subtrees):
            raise ValueError("a subtree hash is not 32 bytes long")
        self._size = size
        self._subtrees = list(subtrees)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._size

    @property
    def subtrees(self) -> tuple[bytes, ...]:
        """The roots of the perfect subtrees, largest (leftmost) first."""
        return tuple(self._subtrees)

    def append(self, leaf: bytes) -> tuple[bytes, ...]:
        """Add one leaf hash; merges as many subtrees as the size has trailing 1 bits.

        Return the roots of the tiles that it fills, those of the lowest level first: mostly none.
        """
        carry, merged, height = leaf, self._size, 0
        filled: tuple[bytes, ...] = ()
        while merged & 1:
            carry = node_hash(self._subtrees.pop(), carry)
            merged >>= 1
            height += 1
            if not height % TILE_LEVELS:
                filled += (carry,)
        self._subtrees.append(carry)
        self._size += 1
        return filled

    def root(self) -> bytes:
        """Return the root of the tree; that of an empty tree is the SHA-256 of nothing."""
        if not self._subtrees:
            return EMPTY_ROOT
        root = self._subtrees[-1]
        for subtree in reversed(self._subtrees[:-1]):
            root = node_hash(subtree, root)
        return root

    def to_bytes(self) -> bytes:
        """Return the size (8 bytes, big endian) and the subtree hashes after it."""
        return self._size.to_bytes(SIZE_BYTES, "big") + b"".join(self._subtrees)

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Frontier":
        """Return the frontier that `to_bytes` encoded.

        :raises ValueError: these bytes are not a frontier.
        """
        hashes = stored[SIZE_BYTES:]
        if len(stored) < SIZE_BYTES or len(hashes) % HASH_BYTES:
            raise ValueError(f"{len(stored)} bytes are not a frontier")
        size = int.from_bytes(stored[:SIZE_BYTES], "big")
        return cls(size, [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)])


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root of the tree over *leaf_hashes*."""
    frontier = Frontier()
    for leaf in leaf_hashes:
        frontier.append(leaf)
    return frontier.root()


def perfect_subtrees(low: int, high: int) -> list[tuple[int, int]]:
    """Return the height and index of each perfect subtree that the leaves of a range consist of.

    The first is the leftmost and largest, if the range is one of a path or begins with leaf 0.
    """
    found: list[tuple[int, int]] = []
    while low < high:
        height = (high - low).bit_length() - 1
        if low:
            height = min(height, (low & -low).bit_length() - 1)
        found.append((height, low >> height))
        low += 1 << height
    return found


def inclusion_path(index: int, size: int) -> list[tuple[int, int]]:
    """Return the leaf ranges whose roots prove leaf *index* in a tree of *size*, lowest first.

    :raises ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} has no leaf {index}")
    path: list[tuple[int, int]] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append((middle, high))
            high = middle
        else:
            path.append((low, middle))
            low = middle
    return path[::-1]


def consistency_path(old_size: int, size: int) -> list[tuple[int, int]]:
    """Return the leaf ranges whose roots prove that *size* continues *old_size*, lowest first.

    Empty for equal sizes, which need no proof.

    :raises ValueError: not 0 < old_size <= size; RFC 6962 defines no proof from an empty tree.
    """
    if not 0 < old_size <= size:
        raise ValueError(f"there is no consistency proof from size {old_size} to {size}")
    path: list[tuple[int, int]] = []
    low, high = 0, size
    while old_size < high:
        middle = low + _split(high - low)
        if old_size <= middle:
            path.append((middle, high))
            high = middle
        else:
            path.append((low, middle))
            low = middle
    if low > 0:  # the old tree's own root is known to the verifier and is left out
        path.append((low, high))
    return path[::-1]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the proof that leaf *index* is in the tree over *leaf_hashes* (RFC 9162 2.1.3.1).

    :raises ValueError: there is no such leaf.
    """
    path = inclusion_path(index, len(leaf_hashes))
    return [root_of(leaf_hashes[low:high]) for low, high in path]


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the proof that the tree only grew since *old_size* (RFC 9162 2.1.4.1).

    :raises ValueError: not 0 < old_size <= the number of leaves.
    """
    path = consistency_path(old_size, len(leaf_hashes))
    return [root_of(leaf_hashes[low:high]) for low, high in path]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf hash *leaf* is at *index* of the tree (RFC 9162 2.1.3.2).

    :raises ProofInvalid: the proof does not show it.
    """
    if not 0 <= index < size:
        raise ProofInvalid(f"a tree of {size} has no leaf {index}")
    if len(leaf) != HASH_BYTES:
        raise ProofInvalid("the leaf hash is not 32 bytes long")
    here, last, computed = index, size - 1, leaf
    for sibling in _hashes(proof):
        if last == 0:
            raise ProofInvalid("the proof is longer than the height of the tree")
        if here & 1 or here == last:
            computed = node_hash(sibling, computed)
            here, last = _up_to_left_sibling(here, last)
        else:
            computed = node_hash(computed, sibling)
        here, last = here >> 1, last >> 1
    _require_end_of_proof(last)
    _require_same(computed, root, "the leaf does not lead to the root")


def verify_consistency(
    size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree *size2*/*root2* continues *size1*/*root1* (RFC 9162 2.1.4.2).

    An empty first tree proves nothing and is refused.

    :raises ProofInvalid: the proof does not show it.
    """
    if not 0 < size1 <= size2:
        raise ProofInvalid(f"size {size2} cannot be proven to continue size {size1}")
    if size1 == size2:
        if proof:
            raise ProofInvalid("the sizes are equal, so the proof must be empty")
        _require_same(root1, root2, "two different roots for the same size")
        return
    hashes = _hashes(proof)
    if size1.bit_count() == 1:  # a perfect old tree is itself the first subtree of the walk
        hashes.insert(0, root1)
    if not hashes:
        raise ProofInvalid("the proof is empty")
    here, last = _up_to_left_sibling(size1 - 1, size2 - 1, odd=True)
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofInvalid("the proof is longer than the height of the tree")
        if here & 1 or here == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            here, last = _up_to_left_sibling(here, last)
        else:
            new = node_hash(new, sibling)
        here, last = here >> 1, last >> 1
    _require_end_of_proof(last)
    _require_same(old, root1, "the proof does not lead to the first root")
    _require_same(new, root2, "the proof does not lead to the second root")


def _split(size: int) -> int:
    """Return the largest power of two below *size* (> 1), where RFC 6962 splits a tree."""
    return 1 << (size - 1).bit_length() - 1


def _up_to_left_sibling(here: int, last: int, *, odd: bool = False) -> tuple[int, int]:
    """Skip the levels at which the node has no sibling, because the tree's right edge is ragged.

    With *odd*, climb while the node is a right child, as the start of a consistency proof needs.
    """
    while (here & 1) if odd else (here & 1 == 0 and here != 0):
        here, last = here >> 1, last >> 1
    return here, last


def _hashes(proof: Sequence[bytes]) -> list[bytes]:
    if any(len(sibling) != HASH_BYTES for sibling in proof):
        raise ProofInvalid("a hash in the proof is not 32 bytes long")
    return list(proof)


def _require_end_of_proof(last: int) -> None:
    if last != 0:
        raise ProofInvalid("the proof is shorter than the height of the tree")


def _require_same(computed: bytes, claimed: bytes, otherwise: str) -> None:
    if not hmac.compare_digest(computed, claimed):
        raise ProofInvalid(otherwise)
