"""What every event database must do with the rows beside the events."""

from uuid import UUID

import pytest

from eventstore.append import (
    AlreadyDone,
    Appended,
    Conflict,
    KeptSince,
    KeyUse,
    Redacted,
    SealedReply,
    Secret,
    UsedKey,
)
from eventstore.store import Store, Wrapped
from eventstore.trees import TreeHead, TreeNode
from tests.domain.spec import ACME, ANA, BEN, OTHER
from tests.eventstore.rows import AT, command

A, B, C = (UUID(int=n) for n in (0xA, 0xB, 0xC))
REPLY = SealedReply(201, 1, b"\x00sealed")


def used(key: bytes, at: int = AT, reply: SealedReply | None = REPLY) -> KeyUse:
    """Return that a request used *key* at some time."""
    return KeyUse(key_hash=key, request_hash=b"\x00hash", at=at, reply=reply)


class BesideContract:
    """Keys of subjects, secrets, used idempotency keys and tree heads are written with events."""

    def test_the_other_rows_are_written_with_the_events(self, store: Store) -> None:
        secrets = (Secret(ANA, "password", b"\x00hash"), Secret(ANA, "other", b"o"))
        asked = command(A, events=2, keys={A: b"\x01key"}, secrets=secrets, key_use=used(b"k"))

        store.commit([command(B), asked])

        assert store.keys([A, B]) == {A: b"\x01key"}
        assert store.secrets(ANA) == {"password": b"\x00hash", "other": b"o"}
        assert store.used_key(b"k") == UsedKey(
            request_hash=b"\x00hash",
            position=3,
            event_id=asked.rows[-1].id,
            at=AT,
            reply=REPLY,
        )

    def test_a_key_is_destroyed_with_the_events_or_not_at_all(self, store: Store) -> None:
        store.commit([command(A, keys={A: b"a", B: b"b"})])

        late = command(A, destroyed=(B,))
        assert store.commit([late]) == [Conflict(A)]
        assert store.keys([A, B]) == {A: b"a", B: b"b"}
        store.commit([command(C, destroyed=(B, C))])

        assert store.keys([A, B, C]) == {A: b"a", B: None, C: None}

    def test_sealed_values_are_redacted_with_the_events_or_not_at_all(self, store: Store) -> None:
        store.commit([command(A, events=3, private=b"two values")])
        states = [row.state for row in store.stream(A)]
        gone = (Redacted(A, 1, b"one"), Redacted(A, 3, None))

        late = command(A, redacted=gone)
        assert store.commit([late]) == [Conflict(A)]
        assert [row.private for row in store.stream(A)] == [b"two values"] * 3
        store.commit([command(B, redacted=gone)])

        assert [row.private for row in store.stream(A)] == [b"one", b"two values", None]
        assert [row.state for row in store.stream(A)] == states

    def test_keys_and_secrets_are_listed_in_slices(self, store: Store) -> None:
        secrets = (Secret(B, "y", b"sealed y"), Secret(B, "x", b"sealed x"), Secret(C, "x", b"z"))
        store.commit([command(A, keys={A: b"key a", B: b"key b"}, secrets=secrets)])
        store.destroy_key(A)
        everything = [
            Wrapped(B, "", b"key b"),
            Wrapped(B, "x", b"sealed x"),
            Wrapped(B, "y", b"sealed y"),
            Wrapped(C, "x", b"z"),
        ]

        assert store.wrapped(None, 10) == everything
        assert store.wrapped(None, 2) == everything[:2]
        assert store.wrapped(everything[0], 2) == everything[1:3]
        assert store.wrapped(everything[3], 2) == []

    def test_a_key_or_secret_is_replaced_only_while_it_is_what_was_read(self, store: Store) -> None:
        store.commit([command(A, keys={A: b"a", B: b"b"}, secrets=(Secret(C, "x", b"old"),))])
        gone, key, secret = store.wrapped(None, 10)
        store.destroy_key(A)

        assert not store.wrap_again(gone, b"resurrected")
        assert store.wrap_again(key, b"b again")
        assert store.wrap_again(secret, b"new")
        assert not store.wrap_again(key, b"late")
        assert not store.wrap_again(secret, b"late")
        assert (store.keys([A, B]), store.secrets(C)) == ({A: None, B: b"b again"}, {"x": b"new"})

    def test_no_other_row_is_written_without_the_events(self, store: Store) -> None:
        store.commit([command(A)])
        late = command(A, keys={A: b"key"}, secrets=(Secret(ANA, "s", b"x"),), key_use=used(b"k"))

        assert store.commit([late]) == [Conflict(A)]
        assert (store.keys([A]), store.secrets(ANA), store.used_key(b"k")) == ({}, {}, None)

    def test_a_key_may_be_used_without_events_and_without_a_reply(self, store: Store) -> None:
        asked = command(A, events=0, key_use=used(b"k", reply=None))
        store.commit([asked])

        assert store.used_key(b"k") == UsedKey(
            request_hash=b"\x00hash", position=0, event_id=None, at=AT
        )
        assert store.last_position() == 0

    @pytest.mark.parametrize("events", [0, 1])
    def test_a_used_key_lets_no_other_command_be_written(self, store: Store, events: int) -> None:
        store.commit([command(A, key_use=used(b"k"))])
        first = store.used_key(b"k")

        late = command(B, events=events, key_use=used(b"k"))
        assert store.commit([late, command(C)]) == [AlreadyDone(1), Appended(2)]

        assert store.used_key(b"k") == first
        assert store.heads([A, B, C]) == {A: 1, C: 1}

    def test_a_key_is_used_once_in_a_batch(self, store: Store) -> None:
        asked = [command(A, events=0, key_use=used(b"k")), command(B, key_use=used(b"k"))]

        assert store.commit(asked)[1] == AlreadyDone(0)
        assert store.last_position() == 0

    def test_old_replies_are_dropped_a_few_at_a_time_and_their_keys_stay(
        self, store: Store
    ) -> None:
        with_secret = SealedReply(201, 1, b"reply", b"with a secret")
        for n, key in enumerate((b"a", b"b", b"c", b"d"), start=1):
            store.commit([command(UUID(int=n), key_use=used(key, at=n, reply=with_secret))])
        kept = KeptSince(replies=3, secrets=4)

        dropped = [store.drop_replies(kept, 2), store.drop_replies(kept, 2)]

        assert (sum(dropped), max(dropped)) == (3, 3)
        replies = [
            found.reply for key in (b"a", b"b", b"c", b"d") if (found := store.used_key(key))
        ]
        assert replies == [None, None, SealedReply(201, 1, b"reply"), with_secret]
        assert store.commit([command(B, key_use=used(b"a"))]) == [AlreadyDone(1)]

    def test_a_bound_holds_for_dropped_replies(self, store: Store) -> None:
        for n in range(1, 6):
            store.commit([command(UUID(int=n), key_use=used(b"%d" % n, at=n))])

        dropped = [store.drop_replies(KeptSince(9, 9), 2) for _ in range(4)]

        assert dropped == [2, 2, 1, 0]

    def test_secrets_are_replaced_and_removed(self, store: Store) -> None:
        store.commit([command(A, secrets=(Secret(ANA, "a", b"1"), Secret(ANA, "b", b"2")))])
        store.commit([command(A, 1, secrets=(Secret(ANA, "a", b"3"), Secret(ANA, "b", None)))])
        store.put_secret(Secret(BEN, "a", b"4"))

        assert store.secrets(ANA) == {"a": b"3"}
        assert store.secrets(BEN) == {"a": b"4"}

    def test_a_subject_has_one_key(self, store: Store) -> None:
        assert store.commit([command(A, keys={ANA: b"1"}), command(B, keys={ANA: b"2"})]) == [
            Appended(1),
            Conflict(ANA),
        ]
        assert store.commit([command(B, keys={ANA: b"3"}), command(C)]) == [
            Conflict(ANA),
            Appended(2),
        ]
        assert store.keys([ANA]) == {ANA: b"1"}

    def test_a_destroyed_key_is_never_replaced(self, store: Store) -> None:
        store.commit([command(A, keys={ANA: b"1"})])
        store.destroy_key(ANA)
        store.destroy_key(BEN)

        assert store.commit([command(B, keys={ANA: b"2"})]) == [Conflict(ANA)]
        assert store.commit([command(B, keys={BEN: b"2"})]) == [Conflict(BEN)]
        assert store.keys([ANA, BEN]) == {ANA: None, BEN: None}

    def test_any_number_of_keys_is_found(self, store: Store) -> None:
        subjects = [UUID(int=n) for n in range(1, 1_202)]
        store.commit([command(A, keys={s: s.bytes for s in subjects})])

        assert store.keys([B, *subjects]) == {s: s.bytes for s in subjects}

    def test_the_nodes_of_a_tree_are_kept_by_level(self, store: Store) -> None:
        nodes = [TreeNode(ACME, 1, n, b"node %d" % n) for n in range(1_201)]
        store.put_tree_nodes([*nodes, TreeNode(ACME, 2, 0, b"above")])
        store.put_tree_nodes([TreeNode(OTHER, 1, 0, b"theirs"), TreeNode(ACME, 1, 0, b"forged")])

        assert store.tree_nodes(ACME, 1, 0, 2_000) == {node.n: node.hash for node in nodes}
        assert store.tree_nodes(ACME, 1, 255, 257) == {255: b"node 255", 256: b"node 256"}
        assert store.tree_nodes(ACME, 2, 0, 9) == {0: b"above"}
        assert store.tree_nodes(ACME, 3, 0, 9) == store.tree_nodes(ACME, 1, 5, 5) == {}

    def test_tree_heads_are_kept_by_size(self, store: Store) -> None:
        three, one, two = (TreeHead(ACME, n, bytes([n]), f"note {n}") for n in (3, 1, 2))
        store.put_tree_heads([three, one])
        store.put_tree_heads([two])
        store.put_tree_heads([TreeHead(OTHER, 9, b"", "theirs")])
        store.put_tree_heads([TreeHead(ACME, 3, b"forged", "forged")])

        assert store.tree_heads(ACME) == [one, two, three]
        assert store.tree_heads(ACME, 2) == [two, three]
        assert store.newest_tree_head(ACME, 9) == store.newest_tree_head(ACME, 3) == three
        assert store.newest_tree_head(ACME, 2) == two
        assert store.newest_tree_head(ACME, 0) is None
