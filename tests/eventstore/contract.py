"""What every event database must do, whatever it is made of.

A test module subclasses ``StoreContract`` and has a fixture ``store`` that gives an empty one.
"""

from uuid import UUID, uuid4

import pytest

from domain.base import OrgId
from domain.work.task.events import TaskDeleted
from eventstore.append import (
    Append,
    Appended,
    Conflict,
)
from eventstore.codec import NOWHERE, encode
from eventstore.engine.probes import TOGETHER_IN_ONE
from eventstore.log import EventLog
from eventstore.mode import LogClosed, LogMode
from eventstore.recorded import READ_BYTES_MAX, fills_read
from eventstore.store import LogIdentity, Store
from eventstore.trees import TreeHead, TreeNode
from tests.domain.spec import ACME, OTHER
from tests.eventstore.beside_contract import BesideContract, used
from tests.eventstore.engine.past_contract import PastContract
from tests.eventstore.examples import example
from tests.eventstore.rows import command
from tests.spec import data_keys, envelope

A, B, C = (UUID(int=n) for n in (0xA, 0xB, 0xC))


class StoreContract(BesideContract, PastContract):
    """Appends, reads and what must not happen."""

    # Reading back -----------------------------------------------------------

    def test_an_empty_log_has_nothing(self, store: Store) -> None:
        assert store.last_position() == store.newest_position(ACME) == 0
        assert store.tail(0, 10) == store.stream(A) == store.organization(ACME, 0, 10) == []
        assert store.heads([A]) == store.heads([]) == store.organization_heads() == {}
        assert store.keys([A]) == {}
        assert store.secrets(A) == {}
        assert store.used_key(b"key") is None
        assert store.newest_tree_head(ACME, 9) is None
        assert store.newest_tree_heads(None, 9) == []
        assert store.commit([]) == []

    def test_every_column_is_read_back_unchanged(self, store: Store) -> None:
        written = command(A, events=2, private=b"\x00\xff sealed")

        assert store.commit([written]) == [Appended(2)]

        assert store.stream(A) == store.tail(0, 10) == store.organization(ACME, 0, 10)
        assert store.stream(A) == written.rows
        assert [type(r.state) for r in store.stream(A)] == [bytes, bytes]

    def test_positions_and_sequences_have_no_gaps(self, store: Store) -> None:
        store.commit([command(A, events=2), command(B, org_id=OTHER), command(C)])
        store.commit([command(A, 2), command(B, 1, events=2, org_id=OTHER)])

        assert [r.position for r in store.tail(0, 100)] == [1, 2, 3, 4, 5, 6, 7]
        ours, theirs = (store.organization(org, 0, 100) for org in (ACME, OTHER))
        assert [(r.org_seq, r.position) for r in ours] == [(1, 1), (2, 2), (3, 4), (4, 5)]
        assert [(r.org_seq, r.position) for r in theirs] == [(1, 3), (2, 6), (3, 7)]
        assert [store.newest_position(org) for org in (ACME, OTHER)] == [5, 7]
        assert [r.version for r in store.stream(A)] == [1, 2, 3]
        assert store.organization_heads() == {ACME: 4, OTHER: 3}
        assert store.last_position() == 7

    def test_reads_begin_after_a_place_and_stop_at_a_limit(self, store: Store) -> None:
        store.commit([command(A, events=5)])

        assert [r.position for r in store.tail(2, 2)] == [3, 4]
        assert [r.org_seq for r in store.organization(ACME, 3, 1)] == [4]
        assert [r.version for r in store.stream(A, 3)] == [4, 5]
        assert [r.version for r in store.stream(A, 1, limit=2)] == [2, 3]
        assert store.tail(5, 10) == store.stream(A, 5) == store.organization(ACME, 5, 10) == []

    def test_a_tail_can_be_of_some_tags_only(self, store: Store) -> None:
        kinds = ["task.created", "task.deleted", "project.created", "task.deleted"]
        store.commit([command(uuid4(), tag=kind) for kind in kinds])

        assert [r.position for r in store.tail(0, 10, ["task.deleted"])] == [2, 4]
        assert [r.position for r in store.tail(0, 1, ["task.deleted"])] == [2]
        both = store.tail(1, 10, ["task.deleted", "project.created"])
        assert [r.position for r in both] == [2, 3, 4]
        assert store.tail(0, 10, ["no.such"]) == []

    def test_a_read_of_large_events_ends_early_and_the_next_one_continues(
        self, store: Store
    ) -> None:
        large = bytes(READ_BYTES_MAX // 4)
        store.commit([command(uuid4(), private=large) for _ in range(9)])
        store.commit([command(uuid4(), private=4 * large), command(uuid4())])

        first = store.tail(0, 20)
        assert [r.position for r in first] == [1, 2, 3, 4]
        assert fills_read(first, 20)
        assert [r.position for r in store.tail(4, 20, ["task.created"])] == [5, 6, 7, 8]
        assert [r.position for r in store.tail(8, 20)] == [9, 10]
        assert [r.position for r in store.tail(9, 20)] == [10]
        assert not fills_read(store.tail(10, 20), 20)
        assert [r.position for r in store.tail(1, 3)] == [2, 3, 4]
        assert [r.org_seq for r in store.organization(ACME, 2, 20)] == [3, 4, 5, 6]
        assert [r.org_seq for r in store.organization_before(ACME, 10, 20)] == [9, 8, 7, 6]
        assert [r.org_seq for r in store.organization_at(ACME, [9, 3, 3, 99])] == [3, 9]

    def test_heads_are_of_the_streams_asked_for(self, store: Store) -> None:
        streams = [UUID(int=n) for n in range(1, 301)]
        store.commit([command(s, events=1 + s.int % 3) for s in streams])

        found = store.heads([UUID(int=9_999), *streams, A])

        assert found == {s: 1 + s.int % 3 for s in streams}

    def test_a_mark_that_is_told_changes_with_every_event(self, store: Store) -> None:
        marks = [store.mark()]
        assert store.mark() == marks[0]
        for append in (command(A), command(B), command(A, 1, events=2)):
            store.commit([append])
            marks.append(store.mark())

        assert len(set(marks)) == (1 if marks[0] is None else len(marks))

    def test_the_log_keeps_the_identity_it_was_created_with(self, store: Store) -> None:
        first = store.identity()
        store.commit([command(A)])
        store.create()

        assert store.identity() == first
        assert first.epoch == 1

    def test_a_partition_that_there_is_not_is_refused(self, store: Store) -> None:
        assert store.parts == 1
        assert store.tail(0, 10, part=0) == []
        for part in (-1, 1):
            with pytest.raises(ValueError, match="1 partition"):
                store.tail(0, 10, part=part)
            with pytest.raises(ValueError, match="1 partition"):
                store.last_position(part)

    async def test_an_event_is_known_by_its_id_or_by_its_bytes(self, store: Store) -> None:
        log = EventLog(store, data_keys())
        places = [envelope(A, version) for version in (1, 2)]
        rows = [encode(example(TaskDeleted), at, ACME, NOWHERE, None) for at in places]
        store.commit([Append(rows=rows, expects={A: 0}, keys={})])

        for version, state in ((3, b"no JSON"), (4, b"no JSON either")):
            row = encode(example(TaskDeleted), envelope(A, version), ACME, NOWHERE, None)
            row.state = state
            append = Append(rows=[row], expects={A: version - 1}, keys={})
            append.org_id = ACME
            store.commit([append])

        marks = [await log.mark_at(n) for n in range(6)]
        assert marks[:3] == ["", str(rows[0].id), str(rows[1].id)]
        assert marks[5] == ""
        assert len(set(marks[3:])) == 3
        assert await log.identity() == store.identity()
        assert log.parts == 1

    # Conflicts --------------------------------------------------------------

    def test_only_the_command_that_came_late_is_refused(self, store: Store) -> None:
        store.commit([command(A)])

        outcomes = store.commit([command(B), command(A, 0), command(C)])

        assert outcomes == [Appended(2), Conflict(A), Appended(3)]
        assert [r.stream_id for r in store.tail(0, 10)] == [A, B, C]

    @pytest.mark.parametrize("read_at", [0, 2])
    def test_a_stream_that_was_only_read_is_verified_too(self, store: Store, read_at: int) -> None:
        store.commit([command(A)])

        assert store.commit([command(B, reads={A: read_at})]) == [Conflict(A)]
        assert store.commit([command(B, reads={A: 1})]) == [Appended(2)]
        assert store.heads([A, B]) == {A: 1, B: 1}

    def test_a_command_may_have_read_more_streams_than_one_statement_can_name(
        self, store: Store
    ) -> None:
        absent = {UUID(int=n): 0 for n in range(1_000, 3_000 + 2 * TOGETHER_IN_ONE)}
        assert store.commit([command(A, reads=absent)]) == [Appended(1)]
        late = UUID(int=2_000 + 2 * TOGETHER_IN_ONE)
        store.commit([command(late)])

        assert store.commit([command(B, reads=absent)]) == [Conflict(late)]

    def test_commands_of_one_commit_see_each_other(self, store: Store) -> None:
        batch = [
            command(A, reads={B: 0}),
            command(B, reads={A: 1}),
            command(A, reads={B: 0}),
            command(A, 1, reads={B: 1}),
            command(A, 1),
        ]

        assert store.commit(batch) == [
            Appended(1),
            Appended(2),
            Conflict(A),
            Appended(3),
            Conflict(A),
        ]

    def test_a_refused_command_creates_nothing(self, store: Store) -> None:
        store.commit([command(A), command(B)])
        refused = command(A, 0, reads={B: 0})

        outcomes = store.commit([refused, command(C, reads={A: 0}), command(C, reads={A: 1})])

        assert outcomes[1:] == [Conflict(A), Appended(3)]
        refused = command(UUID(int=0xD), reads={B: 0})
        made = command(UUID(int=0xE), reads={UUID(int=0xD): 1})
        assert store.commit([refused, made]) == [Conflict(B), Conflict(UUID(int=0xD))]

    def test_a_refused_command_takes_no_position(self, store: Store) -> None:
        store.commit([command(A), command(A, events=3), command(B)])

        assert [(r.position, r.org_seq) for r in store.tail(0, 10)] == [(1, 1), (2, 2)]

    # The mode of a log ------------------------------------------------------

    def test_a_log_that_takes_no_commands_refuses_the_whole_batch(self, store: Store) -> None:
        store.commit([command(A)])
        store.set_mode(LogMode.READ_ONLY)

        for asked in (command(B), command(B, events=0, key_use=used(b"key"))):
            with pytest.raises(LogClosed) as refused:
                store.commit([asked])
            assert refused.value.mode is store.mode() is LogMode.READ_ONLY
        assert (store.last_position(), store.used_key(b"key")) == (1, None)

        store.set_mode(LogMode.OPEN)
        assert store.commit([command(B)]) == [Appended(2)]

    def test_an_operator_may_record_what_happened_to_a_closed_log(self, store: Store) -> None:
        store.set_mode(LogMode.ACCEPTING)

        assert store.commit([command(A, although_closed=True)]) == [Appended(1)]
        with pytest.raises(LogClosed):
            store.commit([command(B, although_closed=True), command(C)])
        assert store.last_position() == 1

    def test_an_epoch_only_grows(self, store: Store) -> None:
        log = store.identity().id
        store.raise_epoch(3)
        store.raise_epoch(2)

        assert store.identity() == LogIdentity(log, 3)

    def test_larger_tree_heads_can_be_forgotten(self, store: Store) -> None:
        for org_id, size in ((ACME, 1), (ACME, 2), (ACME, 3), (OTHER, 3)):
            store.put_tree_heads([TreeHead(org_id, size, b"", "note")])

        store.drop_tree_heads(ACME, above=1)

        assert [head.size for head in store.tree_heads(ACME)] == [1]
        assert [head.size for head in store.tree_heads(OTHER)] == [3]

    def test_nodes_go_with_the_heads_that_need_them(self, store: Store) -> None:
        nodes = [TreeNode(ACME, 1, n, b"node") for n in range(260)]
        above = [TreeNode(ACME, 2, n, b"above") for n in range(2)]
        store.put_tree_nodes([*nodes, *above, TreeNode(OTHER, 1, 259, b"theirs")])

        store.drop_tree_heads(ACME, above=256 * 256 + 300)

        assert [*store.tree_nodes(ACME, 1, 0, 999)] == [*range(257)]
        assert store.tree_nodes(ACME, 2, 0, 9) == {0: b"above"}
        assert store.tree_nodes(OTHER, 1, 0, 999) == {259: b"theirs"}

    def test_the_newest_tree_heads_are_read_in_pieces(self, store: Store) -> None:
        owners = sorted((ACME, OTHER, *(OrgId(uuid4()) for _ in range(3))))
        heads = [TreeHead(owner, size, b"", f"note {size}") for owner in owners for size in (1, 9)]
        store.put_tree_heads(heads)

        first = store.newest_tree_heads(None, 3)
        then = store.newest_tree_heads(first[-1].org_id, 3)

        assert [*first, *then] == heads[1::2]
        assert len(first) == 3
        assert store.newest_tree_heads(then[-1].org_id, 3) == []

    def test_creating_again_changes_nothing(self, store: Store) -> None:
        store.commit([command(A)])
        store.create()

        assert store.last_position() == 1
