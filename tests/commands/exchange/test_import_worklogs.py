"""Stories of the command that imports the logged time of a file."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from commands.exchange.content_line import NumberedWorklog, WorklogLine
from commands.exchange.import_piece import ImportedContents
from commands.exchange.import_worklogs import ImportWorklogs
from domain.base import WorklogId
from domain.planning.worklog import WorklogDeleted, WorklogImported
from domain.work.task.events import TaskDeleted
from tests.commands.acme import ACCOUNTS, HERE
from tests.commands.planning.plans import SPENT, SPENT_ON, spent
from tests.domain.spec import ANA, BEN, CLEO, ENG, TASK
from tests.spec import data_keys, given, on

NEW, NEWER = WorklogId(UUID(int=501)), WorklogId(UUID(int=502))
OLD = datetime(2019, 3, 1, tzinfo=UTC)
PAST = (*ACCOUNTS, *HERE)
Noted = list[ImportedContents]


def line(number: int, new_id: WorklogId, **about: Any) -> NumberedWorklog:
    told: dict[str, Any] = {"task": str(TASK), "minutes": 30, "date": SPENT_ON, "note": "Oiled"}
    return NumberedWorklog(number, new_id, WorklogLine(**(told | about)))


def bring(noted: Noted, *lines: NumberedWorklog) -> ImportWorklogs:
    keys = data_keys().fingerprint
    return ImportWorklogs(project_id=ENG, lines=lines, fingerprint=keys, note=noted.append)


def came(**about: Any) -> WorklogImported:
    return WorklogImported(task_id=TASK, external_id="w1", **about)


def codes(noted: Noted) -> list[str | None]:
    return [None if each.refused is None else each.refused.code for each in noted[-1].outcomes]


class TestImportWorklogs:
    def test_a_line_becomes_time_of_the_member_whose_address_it_names(self) -> None:
        about = {"occurred_at": OLD, "author": "cleo@example.com"}
        asked = bring([], line(1, NEW, id="w1", **about))
        given(*PAST).when(asked).then(on(NEW, spent(CLEO, created_by=ANA), came(**about)))

    def test_time_of_somebody_elsewhere_is_nobodys_and_of_no_author_ones_own(self) -> None:
        asked = bring([], line(1, NEW, id="w1", author="Jo"))
        given(*PAST).when(asked).then(
            on(NEW, spent(ANA, user_id=None), came(author="Jo")),
        )
        own = bring([], line(1, NEW, id="w1"))
        given(*PAST).when(own, by=CLEO).then(on(NEW, spent(CLEO), came()))

    def test_members_import_their_own_time_only(self) -> None:
        noted: Noted = []
        lines = [line(1, NEW, id="w2", author="ben@example.com")]
        lines.append(line(2, NEWER, id="w1", author="cleo@example.com"))
        given(*PAST).when(bring(noted, *lines), by=CLEO).then(
            on(NEWER, spent(CLEO), came(author="cleo@example.com"))
        )
        assert codes(noted) == ["not_permitted", None]
        given(*PAST).when(bring(noted, lines[0]), by=BEN).then(
            on(
                NEW,
                spent(BEN),
                WorklogImported(task_id=TASK, external_id="w2", author="ben@example.com"),
            )
        )

    def test_what_has_an_external_id_already_is_left_alone_also_in_the_trash(self) -> None:
        gone = WorklogDeleted(task_id=TASK, minutes=30, deleted_by=ANA)
        noted: Noted = []
        past = (*PAST, on(SPENT, spent(), came(), gone), on(NEWER, spent()))
        asked = bring(noted, line(1, NEW, id="w1"), line(2, NEW, id=str(NEWER)))
        given(*past).when(asked).then()
        assert [each.id for each in noted[-1].outcomes] == [SPENT, NEWER]

    def test_a_refused_line_stops_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("commands.content_counts.WORKLOGS_MAX", 1)
        noted: Noted = []
        lines = [line(1, SPENT, id="w0", task="J-9"), line(2, NEW, id="w1")]
        lines.append(line(3, NEWER, id="w2"))
        given(*PAST).when(bring(noted, *lines)).then(on(NEW, spent(), came()))
        assert codes(noted) == ["unknown_task", None, "too_many_worklogs"]

    def test_a_task_in_the_trash_gets_none(self) -> None:
        noted: Noted = []
        past = (*PAST, on(TASK, TaskDeleted()))
        given(*past).when(bring(noted, line(1, NEW, id="w1"))).then()
        assert codes(noted) == ["not_found"]
