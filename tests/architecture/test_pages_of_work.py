"""More how-to pages about the work, run as they are written on the whole product."""

from datetime import UTC, datetime

import pytest

from tests.architecture.reader import BLOCK, Reader
from tests.architecture.sources import ROOT

_PAGES = (
    "move-a-task label-tasks follow-a-task see-what-is-due hold-or-archive-a-project"
    " bring-your-work-in find-what-was-written change-many-tasks restore-what-was-deleted"
    " follow-what-happens undo-what-was-done log-time"
)
MOVING, LABELLING, FOLLOWING, DUE, HOLDING, IMPORTING, FINDING, CHANGING, *_OTHERS = (
    ROOT / "docs" / "how-to" / f"{name}.md" for name in _PAGES.split()
)
RESTORING, WATCHING, UNDOING, TIMING = _OTHERS

REDACTING = ROOT / "docs" / "how-to" / "take-out-a-text.md"
FORKING = ROOT / "docs" / "how-to" / "fork-an-organization.md"
LOOKING_BACK = ROOT / "docs" / "how-to" / "see-how-things-were.md"

pytestmark = [pytest.mark.acceptance, pytest.mark.servers]


def test_tasks_are_labelled_followed_and_moved_by_the_words_of_the_pages(reader: Reader) -> None:
    first, both, renamed, bare, restored = reader.follow(LABELLING)
    watched, done, said, activity, left, project = reader.follow(FOLLOWING)
    moved, found, below, back, stayed = reader.follow(MOVING)

    assert all('"labels":["' in told for told in (first, both, bare))
    assert all('"name":"customer waits"' in told for told in (renamed, restored))
    assert '"watchers":["' in watched
    assert '"status":"DONE"' in done
    assert '"body":"Well done!"' in said
    assert '"type":"comment.posted"' in activity
    assert '"type":"task.status_changed"' in activity
    assert '"key":"ENG-2"' in left
    assert '"type":"task.created"' in project
    assert all('"key":"OPS-1"' in told for told in (moved, found))
    assert '"key":"OPS-2"' in below
    assert '"status":"IN_PROGRESS"' in back
    assert '"parentId":null' in stayed


def test_work_is_taken_out_and_brought_in_by_the_words_of_the_page(reader: Reader) -> None:
    project, *told, archived, foreign, newest = reader.follow(IMPORTING)
    count = (len(told) - 3) // 2  # each line twice, two summaries and the import
    lines, same = told[:count], told[count + 2 : -1]
    rehearsed, imported, again = told[count], told[count + 1], told[-1]

    assert '"key":"COPY"' in project
    assert lines
    assert all('"outcome":"created"' in line for line in lines)
    assert f'"created":{len(lines)},"unchanged":0,"refused":0' in rehearsed
    assert f'"state":"DONE","done":{len(lines)},"all":{len(lines)}' in imported
    assert all('"outcome":"unchanged"' in line for line in same)
    assert f'"created":0,"updated":0,"unchanged":{len(lines)},"refused":0' in again
    assert '"refused":[],"code":null' in archived
    assert '"state":"DONE","done":1,"all":1,"created":1' in foreign
    assert '"title":"Oil the engine"' in newest
    assert '"status":"DONE"' in newest


def test_tasks_are_found_restored_and_changed_by_the_words_of_the_pages(reader: Reader) -> None:
    found = reader.follow(FINDING)
    rehearsed, changed = reader.follow(CHANGING)
    tidied, foreseen, undone = reader.follow(UNDOING)
    trash, listed, restored, *purged = reader.follow(RESTORING)
    happened = reader.follow(WATCHING)

    assert len(found) == 4
    assert all('"key":"ENG-1"' in told for told in found)
    assert '"type":"task"' in trash
    assert '"deletedAt":"' in listed
    assert '"key":"ENG-1"' in restored
    assert purged == []
    assert '"type":"task.status_changed"' in rehearsed
    assert '"unchanged":0' in changed
    assert '"title":"Tidied"' in tidied
    assert '"type":"changes.undone"' in foreseen
    assert '"undone":2,"unchanged":0,"conflicts":[]' in undone
    assert "event: task.purged" in happened


def test_dates_are_seen_and_projects_held_by_the_words_of_the_pages(reader: Reader) -> None:
    planned, assigned, soon, mine, by_status, late, overdue = reader.follow(DUE)
    held, early, resumed, archived, refused, unarchived, *deleted = reader.follow(HOLDING)
    missing, restored, back = deleted

    assert '"dueDate":"' in planned
    assert '"assignees":["' in assigned
    assert (soon, mine) == ("ENG-3", "ENG-3")
    assert "'TODO': " in by_status
    assert '"dueAt":"2026-01-05T16:00:00Z"' in late
    assert overdue == "True"
    assert '"status":"ON_HOLD"' in held
    assert '"code":"project_on_hold"' in early
    assert '"status":"ACTIVE"' in resumed
    assert '"status":"ARCHIVED"' in archived
    assert '"code":"project_archived"' in refused
    assert '"status":"ACTIVE"' in unarchived
    assert '"code":"not_found"' in missing
    assert '"key":"ENG"' in restored
    assert '"key":"ENG-1"' in back


def test_a_text_is_taken_out_by_the_words_of_the_page(reader: Reader) -> None:
    edited, foreseen, redacted, told = reader.follow(REDACTING)

    assert '"body":"The password is in the vault"' in edited
    assert '"type":"content.redacted"' in foreseen
    assert '"fields":["body"]' in redacted
    assert '"body":"[erased]"' in told
    assert "vault" in told
    assert "hunter2" not in told


def test_things_are_seen_as_they_were_by_the_words_of_the_page(reader: Reader) -> None:
    changed, before, board, project, organization, members = reader.follow(LOOKING_BACK)

    assert '"priority":"URGENT"' in changed
    assert '"key":"ENG-2"' in before
    assert '"priority":"URGENT"' not in before
    assert '"columns":[{"status":' in board
    assert '"key":"ENG"' in project
    assert '"name":"Acme"' in organization
    assert '"role":"ADMIN"' in members
    assert all('"asOf":{"seq":' in told for told in (before, board, project, organization, members))


def test_time_is_logged_and_added_up_by_the_words_of_the_page(reader: Reader) -> None:
    changed, logged, listed, task, trashed, restored, mine, *sums = reader.follow(TIMING)
    by_project, by_day, header, *rows = sums

    assert '"minutes":75,"date":"2026-02-27"' in changed
    assert '"minutes":30' in logged
    assert listed.count('"minutes":') == mine.count('"minutes":') == len(rows) == 2
    assert '"timeSpentMinutes":105' in task
    assert '"name":"Read the old code"' in trashed
    assert '"note":"Read the old code"' in restored
    assert all(told.startswith('{"minutes":105,"entries":2') for told in (by_project, by_day))
    assert header.startswith("date,minutes,")


def test_an_organization_is_forked_by_the_words_of_the_page(reader: Reader) -> None:
    copying, earlier, giving_up = (text for _, text in BLOCK.findall(FORKING.read_text()))
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"

    copied = reader.run(reader.ours(copying))
    before = reader.run(reader.ours(earlier.replace("2026-11-29T12:00Z", now)))
    left = reader.run(reader.ours(giving_up))

    assert copied.returncode == before.returncode == 0, copied.stderr + before.stderr
    assert copied.stdout.startswith("acme-copy (")
    assert before.stdout.startswith("acme-before (")
    assert (left.returncode, left.stdout) == (2, "")  # nothing of it is left to be done
    assert "no fork acme-before of acme is unfinished" in left.stderr
