"""Relations: no task to itself, none twice, no circle of tasks that block each other."""

from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.base import DomainError, NotFound, OrgId, TaskId
from domain.work.relation import (
    OPPOSITE,
    RELATIONS_MAX,
    SLICE,
    DependencyGraph,
    Relation,
    RelationAdded,
    RelationCycle,
    RelationEvent,
    RelationExists,
    RelationKind,
    RelationRemoved,
    RelationToItself,
    TooManyRelations,
    graph_of,
    relation,
)
from tests.domain.spec import ACME, OTHER, QUICK, given

BLOCKS, BLOCKED_BY, DUPLICATES, DUPLICATED_BY, RELATES = RelationKind
A, B, C, D, E = (TaskId(UUID(int=n)) for n in range(101, 106))


def blocks(*pairs: tuple[TaskId, TaskId]) -> DependencyGraph:
    """Return a graph in which the first task of each pair blocks the second."""
    return given(
        DependencyGraph(), *(RelationAdded(kind=BLOCKS, from_=a, to=b, open=True) for a, b in pairs)
    )


def add(graph: DependencyGraph, added: Relation, *, is_open: bool = True) -> list[RelationEvent]:
    """Return what adding a relation records, however many steps that takes."""
    steps = graph.add(added, is_open=is_open)
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            events: list[RelationEvent] = ended.value
            return events


@pytest.mark.parametrize(
    ("task", "kind", "other", "stored"),
    [
        (A, BLOCKS, B, (BLOCKS, A, B)),
        (A, BLOCKED_BY, B, (BLOCKS, B, A)),
        (A, DUPLICATES, B, (DUPLICATES, A, B)),
        (A, DUPLICATED_BY, B, (DUPLICATES, B, A)),
        (A, RELATES, B, (RELATES, A, B)),
        (B, RELATES, A, (RELATES, A, B)),
    ],
)
def test_a_relation_is_stored_once_whichever_end_it_is_told_from(
    task: TaskId, kind: RelationKind, other: TaskId, stored: tuple[RelationKind, TaskId, TaskId]
) -> None:
    assert relation(task, kind, other) == Relation(*stored)
    assert relation(other, OPPOSITE[kind], task) == Relation(*stored)


def test_each_end_tells_its_side() -> None:
    graph = given(
        DependencyGraph(),
        RelationAdded(kind=BLOCKS, from_=A, to=B),
        RelationAdded(kind=DUPLICATES, from_=A, to=C),
        RelationAdded(kind=RELATES, from_=A, to=D),
    )

    assert [*graph.relations(A)] == [(BLOCKS, B), (DUPLICATES, C), (RELATES, D)]
    assert [*graph.relations(B)] == [(BLOCKED_BY, A)]
    assert [*graph.relations(C)] == [(DUPLICATED_BY, A)]
    assert [*graph.relations(D)] == [(RELATES, A)]
    assert graph.blocked_by(A) == (B,)
    assert graph.blocked_by(B) == ()


def test_only_a_blocker_that_is_open_blocks_now() -> None:
    for kind, is_open, now in (
        (BLOCKS, True, True),
        (BLOCKS, False, False),
        (RELATES, True, False),
    ):
        found = Relation(kind, A, B)
        [added] = add(DependencyGraph(), found, is_open=is_open)
        assert added == RelationAdded(kind=kind, from_=A, to=B, open=now)
        [removed] = given(DependencyGraph(), added).remove(found, is_open=is_open)
        assert removed == RelationRemoved(kind=kind, from_=A, to=B, open=now)


def test_no_task_is_related_to_itself_or_twice_in_the_same_way() -> None:
    graph = blocks((A, B))

    with pytest.raises(RelationToItself):
        add(graph, Relation(RELATES, A, A))
    with pytest.raises(RelationExists):
        add(graph, Relation(BLOCKS, A, B))
    assert add(graph, Relation(RELATES, A, B)) != []
    with pytest.raises(NotFound):
        graph.remove(Relation(RELATES, A, B), is_open=True)


def test_tasks_do_not_block_each_other_in_a_circle() -> None:
    graph = blocks((A, B), (B, C), (C, D))

    for at, to in ((B, A), (C, A), (D, A), (D, B)):
        with pytest.raises(RelationCycle):
            add(graph, Relation(BLOCKS, at, to))
    assert add(graph, Relation(BLOCKS, A, D)) != []
    assert add(graph, Relation(DUPLICATES, D, A)) != []
    opened = given(graph, RelationRemoved(kind=BLOCKS, from_=B, to=C))
    assert add(opened, Relation(BLOCKS, D, A)) != []


def test_a_circle_is_found_from_whichever_end_has_fewer_tasks() -> None:
    others = [TaskId(UUID(int=n)) for n in range(200, 230)]
    many_ahead = blocks(*((A, other) for other in others), (A, B), (B, C))
    many_behind = blocks(*((other, C) for other in others), (A, B), (B, C))

    for graph in (many_ahead, many_behind):
        with pytest.raises(RelationCycle):
            add(graph, Relation(BLOCKS, C, A))
        assert add(graph, Relation(BLOCKS, D, A)) != []


def test_a_search_through_many_tasks_stops_now_and_then() -> None:
    line = [TaskId(UUID(int=10_000 + n)) for n in range(3 * SLICE)]
    graph = blocks(*pairwise(line))

    stops: list[None] = []
    with pytest.raises(RelationCycle):
        stops.extend(graph.add(Relation(BLOCKS, line[-1], line[0]), is_open=True))

    assert len(stops) == 2


def test_a_task_has_at_most_fifty_relations_counted_from_both_ends() -> None:
    others = [TaskId(UUID(int=n)) for n in range(200, 200 + RELATIONS_MAX)]
    one_way = given(
        DependencyGraph(), *(RelationAdded(kind=RELATES, from_=A, to=o) for o in others)
    )
    other_way = given(
        DependencyGraph(), *(RelationAdded(kind=DUPLICATES, from_=o, to=A) for o in others)
    )

    for graph in (one_way, other_way):
        for added in (Relation(BLOCKS, A, B), Relation(BLOCKS, B, A)):
            with pytest.raises(TooManyRelations) as refused:
                add(graph, added)
            assert refused.value.details == {"limit": 50}


def test_each_organization_has_a_graph_of_its_own() -> None:
    assert graph_of(ACME) == graph_of(OrgId(UUID(int=ACME.int))) != graph_of(OTHER)


TASKS = st.sampled_from([A, B, C, D, E])


class Relations(RuleBasedStateMachine):
    """Drives the graph beside a set of triples."""

    def __init__(self) -> None:
        super().__init__()
        self.graph = DependencyGraph()
        self.model: set[tuple[RelationKind, TaskId, TaskId]] = set()

    def leads(self, at: TaskId, to: TaskId) -> bool:
        seen, ahead = {at}, [at]
        for one in ahead:
            found = {b for kind, a, b in self.model if kind is BLOCKS and a == one}
            ahead += found - seen
            seen |= found
        return to in seen

    @rule(task=TASKS, kind=st.sampled_from(RelationKind), other=TASKS, to_add=st.booleans())
    def change(self, task: TaskId, kind: RelationKind, other: TaskId, to_add: bool) -> None:
        stored = relation(task, kind, other)
        triple = (stored.kind, stored.from_, stored.to)
        right = triple in self.model
        if to_add:
            circle = stored.kind is BLOCKS and self.leads(stored.to, stored.from_)
            right = not right and task != other and not circle
        try:
            new = add(self.graph, stored) if to_add else self.graph.remove(stored, is_open=True)
            self.graph = given(self.graph, *new)
        except DomainError:
            assert not right
        else:
            assert right
            (self.model.add if to_add else self.model.remove)(triple)

    @invariant()
    def the_graph_tells_the_model(self) -> None:
        told = {
            tuple(relation(task, kind, other))
            for task in (A, B, C, D, E)
            for kind, other in self.graph.relations(task)
        }
        assert told == self.model


Relations.TestCase.settings = QUICK
TestRelations = Relations.TestCase
