"""The tree agrees with RFC 6962's recursive definition and with published proof vectors."""

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofInvalid,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).parent / "vectors"
LEAVES = [leaf_hash(bytes([n])) for n in range(70)]
SIZES = st.integers(1, 70)


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    left, right = naive_root(leaves[:k]), naive_root(leaves[k:])
    return sha256(b"\x01" + left + right).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """RFC 6962 section 2.1.2, word for word."""
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole=whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], whole=False), naive_root(leaves[:k])]


def vectors(name: str) -> list[Any]:
    lines = (VECTORS / f"{name}.jsonl").read_text().splitlines()
    assert len(lines) == 98
    loaded = [json.loads(line) for line in lines]
    return [pytest.param(vector, id=vector["path"]) for vector in loaded]


def decoded(vector: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(base64.b64decode(vector[name]) for name in names)


class TestPublishedVectors:
    @pytest.mark.parametrize("vector", vectors("inclusion"))
    def test_inclusion_proofs_match_the_published_vectors(self, vector: dict[str, Any]) -> None:
        leaf, root = decoded(vector, "leafHash", "root")
        proof = [base64.b64decode(node) for node in vector["proof"] or []]

        try:
            verify_inclusion(leaf, vector["leafIdx"], vector["treeSize"], proof, root)
            accepted = True
        except ProofInvalid:
            accepted = False

        assert accepted is not vector["wantErr"]

    @pytest.mark.parametrize("vector", vectors("consistency"))
    def test_consistency_proofs_match_the_published_vectors(self, vector: dict[str, Any]) -> None:
        root1, root2 = decoded(vector, "root1", "root2")
        proof = [base64.b64decode(node) for node in vector["proof"] or []]

        try:
            verify_consistency(vector["size1"], vector["size2"], root1, root2, proof)
            accepted = True
        except ProofInvalid:
            accepted = False

        assert accepted is not vector["wantErr"]


class TestTree:
    def test_leaf_and_node_hashes_have_different_prefixes(self) -> None:
        assert leaf_hash(b"").hex() == (
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        )
        assert node_hash(b"L", b"R") == sha256(b"\x01LR").digest()

    def test_the_root_of_an_empty_tree_is_the_hash_of_nothing(self) -> None:
        assert Frontier().root() == EMPTY_ROOT == naive_root([])

    def test_the_root_equals_the_recursive_definition_at_every_size(self) -> None:
        frontier = Frontier()
        for size, leaf in enumerate(LEAVES, start=1):
            frontier.append(leaf)
            assert frontier.size == size
            assert frontier.root() == naive_root(LEAVES[:size]) == root_of(LEAVES[:size])

    @given(size=st.integers(0, 70))
    def test_a_stored_frontier_continues_where_it_stopped(self, size: int) -> None:
        frontier = Frontier()
        for leaf in LEAVES[:size]:
            frontier.append(leaf)

        resumed = Frontier.from_bytes(frontier.to_bytes())
        for leaf in LEAVES[size:]:
            resumed.append(leaf)

        assert len(frontier.to_bytes()) == 8 + 32 * size.bit_count()
        assert resumed.root() == root_of(LEAVES)

    @pytest.mark.parametrize(
        "stored", [b"", b"\x00" * 7, b"\x00" * 9, b"\x00" * 40, b"\x00" * 7 + b"\x01", b"\xff" * 8]
    )
    def test_bytes_that_are_not_a_frontier_are_refused(self, stored: bytes) -> None:
        with pytest.raises(ValueError, match="frontier"):
            Frontier.from_bytes(stored)

    def test_a_subtree_hash_of_the_wrong_length_is_refused(self) -> None:
        with pytest.raises(ValueError, match="32 bytes"):
            Frontier(1, [b"short"])


class TestProofs:
    def test_proofs_equal_the_recursive_definition_at_every_small_size(self) -> None:
        for size in range(1, 34):
            leaves = LEAVES[:size]
            for at in range(size):
                assert inclusion_proof(leaves, at) == naive_path(at, leaves)
                assert consistency_proof(leaves, at + 1) == naive_subproof(at + 1, leaves)

    @given(size=SIZES, data=st.data())
    def test_an_inclusion_proof_is_accepted_only_for_its_leaf(
        self, size: int, data: st.DataObject
    ) -> None:
        leaves = LEAVES[:size]
        index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 69))
        proof = inclusion_proof(leaves, index)

        verify_inclusion(leaves[index], index, size, proof, root_of(leaves))

        if other != index:
            with pytest.raises(ProofInvalid):
                verify_inclusion(LEAVES[other], index, size, proof, root_of(leaves))
            with pytest.raises(ProofInvalid):
                verify_inclusion(leaves[index], other, size, proof, root_of(leaves))

    @given(size=SIZES, data=st.data())
    def test_a_consistency_proof_is_accepted_only_for_its_history(
        self, size: int, data: st.DataObject
    ) -> None:
        leaves, old = LEAVES[:size], data.draw(st.integers(1, size))
        altered = data.draw(st.integers(0, old - 1))
        proof = consistency_proof(leaves, old)
        forged = [*leaves[:altered], leaf_hash(b"forged"), *leaves[altered + 1 : old]]

        verify_consistency(old, size, root_of(leaves[:old]), root_of(leaves), proof)

        with pytest.raises(ProofInvalid):
            verify_consistency(old, size, root_of(forged), root_of(leaves), proof)

    def test_a_proof_longer_than_the_height_of_the_tree_is_refused(self) -> None:
        leaf, extra = LEAVES[0], LEAVES[1]
        old, new = node_hash(leaf, extra), root_of(LEAVES[:3])

        with pytest.raises(ProofInvalid, match="longer"):
            verify_inclusion(leaf, 0, 1, [extra], node_hash(extra, leaf))
        with pytest.raises(ProofInvalid, match="longer"):
            verify_consistency(2, 3, old, node_hash(extra, new), [LEAVES[2], extra])

    def test_proofs_for_leaves_and_sizes_that_do_not_exist_are_refused(self) -> None:
        for index in (-1, 3):
            with pytest.raises(ValueError, match="no leaf"):
                inclusion_proof(LEAVES[:3], index)
        for old_size in (0, 4):
            with pytest.raises(ValueError, match="no consistency proof"):
                consistency_proof(LEAVES[:3], old_size)
