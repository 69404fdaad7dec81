"""Folding in memory: what comes again, what cannot be folded, and what is remembered."""

from collections.abc import Sequence

import pytest

from domain.work.task.events import TaskAssigned, TaskRetitled
from domain.work.task.state import Task
from eventstore.recorded import Recorded
from projections.base import Document
from projections.engine.folding import Folder
from projections.work.task import Tasks
from tests.commands.acme import CHILD, CREATED
from tests.domain.spec import ACME, BEN, CLEO, TASK
from tests.projections.spec import story

KEY = f"{ACME}:{TASK}"
RETITLED = TaskRetitled(from_="Oil it", to="Grease it")
EVENTS = story(TASK, CREATED, RETITLED, TaskAssigned(user_id=BEN), TaskAssigned(user_id=CLEO))


class Unshowable(Tasks):
    """Shows no task that Cleo works on."""

    def document(self, key: str, state: Task, recorded: Recorded) -> Document:
        if CLEO in state.assignees:
            raise ValueError("not with Cleo")
        return super().document(key, state, recorded)


def written(folder: Folder[Task], events: Sequence[Recorded]) -> list[Document]:
    """Fold a batch, remember it, and return the documents that are to be written."""
    folder.begin(events)
    documents = list(folder.fold().documents)
    folder.keep()
    return documents


def test_a_repeated_batch_writes_nothing() -> None:
    folder = Folder(Tasks(), "tasks")
    written(folder, EVENTS[:3])

    assert written(folder, EVENTS[:3]) == []
    assert written(folder, EVENTS[2:3]) == []


def test_only_a_document_that_was_neither_written_nor_found_before_is_new() -> None:
    folder = Folder(Tasks(), "tasks")
    folder.begin(EVENTS[:2])
    first = folder.fold()
    folder.keep()
    folder.begin(EVENTS[2:])
    again = folder.fold()
    other = Folder(Tasks(), "tasks")
    other.begin(EVENTS[2:])
    other.know(first.documents)
    found = other.fold()

    assert (set(first.new), set(again.new), set(found.new)) == ({KEY}, set(), set())


@pytest.mark.parametrize("first", [3, 2])
def test_an_event_that_stands_twice_in_a_batch_is_folded_once(first: int) -> None:
    folder = Folder(Tasks(), "tasks")
    written(folder, EVENTS[:first])
    again = [event for event in EVENTS[first:] for _ in range(2)]

    [document] = written(folder, again)

    assert document.fields["assignees"] == [str(BEN), str(CLEO)]


def test_each_batch_is_folded_onto_the_one_before_it() -> None:
    folder = Folder(Tasks(), "tasks")
    for event in EVENTS[:3]:
        written(folder, [event])

    [document] = written(folder, EVENTS[3:])

    assert document.fields["title"] == "Grease it"
    assert document.fields["assignees"] == [str(BEN), str(CLEO)]
    assert document.position == 4


def test_a_batch_is_folded_onto_the_documents_that_were_loaded() -> None:
    [stored] = written(Folder(Tasks(), "tasks"), EVENTS[:2])
    folder = Folder(Tasks(), "tasks")

    missing = folder.begin(EVENTS)
    folder.know([stored])
    [document] = folder.fold().documents

    assert missing == [KEY]
    assert document.fields["title"] == "Grease it"
    assert document.fields["assignees"] == [str(BEN), str(CLEO)]


def test_a_stored_document_that_cannot_be_read_is_parked_at_its_next_event() -> None:
    [stored] = written(Folder(Tasks(), "tasks"), EVENTS[:2])
    stored.fields["priority"] = "LOST"
    folder = Folder(Tasks(), "tasks")

    folder.begin(EVENTS[2:])
    folder.know([stored])

    assert list(folder.fold().documents) == []
    assert [(parked.id, parked.position) for parked in folder.failed()] == [(KEY, 3)]


def test_a_document_that_cannot_be_shown_is_parked_and_not_remembered() -> None:
    folder = Folder(Unshowable(), "tasks")

    assert written(folder, EVENTS) == []
    assert folder.begin(EVENTS) == [KEY]


def test_a_document_that_is_no_longer_parked_is_loaded_again() -> None:
    folder = Folder(Unshowable(), "tasks")
    written(folder, EVENTS[:3])
    written(folder, EVENTS[3:])

    folder.unpark([KEY])

    assert folder.begin(EVENTS[3:]) == [KEY]


def test_only_the_documents_touched_last_are_remembered() -> None:
    folder, other = Folder(Tasks(), "tasks", recent_max=1), story(CHILD, CREATED, start=9)
    written(folder, EVENTS[:1])

    written(folder, other)

    assert folder.begin([*EVENTS[1:2], *other]) == [KEY]
