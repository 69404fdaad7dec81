"""Every statement of a store names its partition, so that a distributed database can route it."""

from collections.abc import Iterator
from uuid import UUID

from eventstore.append import KeptSince
from eventstore.partition import partition_of
from eventstore.past.events import NumberRange, Prefix
from eventstore.store import Store
from eventstore.trees import TreeNode
from tests.domain.spec import ACME, ANA, OTHER
from tests.eventstore.reserving import ADDRESS, KEY, TASKS, A, B, C, Numbering, add, release, take
from tests.eventstore.rows import command


def distinct(statements: list[str]) -> Iterator[str]:
    """Yield the statements about tables of ours, each once."""
    for statement in dict.fromkeys(statements):
        words = statement.upper().split()
        if words and words[0] in {"SELECT", "INSERT", "UPDATE", "DELETE"}:
            yield statement


def check_every_statement_names_its_partition(statements: list[str]) -> None:
    """Check that a distributed database could route each of *statements*."""
    seen = list(distinct(statements))
    assert len(seen) > 10
    unrouted = [s for s in seen if "part = " not in s and "part IN (" not in s and "(part" not in s]
    assert unrouted == []


def check_every_statement_goes_to_one_machine(statements: list[str]) -> None:
    """Check that each of *statements* names one partition as a value, or writes rows of one."""
    for statement in distinct(statements):
        named = statement.startswith("INSERT") or "part = ?" in statement or "part = 0" in statement
        assert named or "part IN (?)" in statement, statement
        assert "part IN (?," not in statement, statement


def use_everything(store: Store) -> None:
    """Make every statement of a store that its users cause."""
    claims = (take(KEY, A), take(ADDRESS, ANA))
    store.commit([command(A, keys={A: b"k"}, claims=claims, counts=(add(1, limit=9),))])
    store.commit([Numbering(B).append, command(A, 0), command(A, 1, claims=(release(KEY, A),))])
    store.rehearse(command(C))
    both = command(UUID(int=0xD), org_id=OTHER, reads={A: 2})
    both.owners = {A: ACME}
    both.claims, both.counts = (take(KEY, B),), (add(1, limit=9),)
    store.commit([both, command(C, 9)])
    part = partition_of(ACME, store.parts)
    store.tail(0, 9, part=part)
    store.organization_heads(part)
    store.last_position(part)
    store.stream(A, 0, part)
    store.heads([A, B], part)
    store.organization(ACME, 0, 9)
    store.organization_before(ACME, 9, 9)
    store.organization_at(ACME, [9])
    store.times(ACME, 0, 9)
    store.numbered_between(NumberRange(TASKS, 0, 9))
    store.prefixes(ACME, [A, B], Prefix(["task.created"], 9), 9)
    store.keys([A], part)
    store.destroy_key(A, part)
    store.secrets(A, part)
    store.used_key(b"k", part)
    store.drop_replies(KeptSince(1, 1), 9, part)
    store.recorded_with_keys(part)
    store.tree_heads(ACME)
    store.newest_tree_head(ACME, 9)
    store.newest_tree_heads(None, 9, part)
    store.put_tree_nodes([TreeNode(ACME, 1, 0, b"hash")])
    store.tree_nodes(ACME, 1, 0, 9)
    store.drop_tree_heads(ACME, 9)
    store.newest_position(ACME)
    store.claimed(ACME, KEY.scope, ACME)
    store.claimed_in(part, KEY.scope)
    store.claimed_between(KEY, b"\xff", 9)
    store.holders([KEY])
    store.counted([TASKS])
    store.identity()
    store.mode()
