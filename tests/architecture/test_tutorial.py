"""The tutorials and the README's commands, run as they are written on the whole product."""

import re
from collections.abc import Iterator

import pytest

from tests.architecture.reader import BLOCK, DELIVERY_S, Reader
from tests.architecture.sources import ROOT

PAGE = ROOT / "docs" / "tutorial" / "first-webhook.md"
WORK = ROOT / "docs" / "tutorial" / "plan-your-work.md"
README = ROOT / "README.md"
PROTECTING = ROOT / "docs" / "how-to" / "protect-an-account.md"
EXPORTING = ROOT / "docs" / "how-to" / "export-and-verify.md"
PROVING = ROOT / "docs" / "how-to" / "prove-one-event.md"
KEYS = ROOT / "docs" / "how-to" / "use-an-api-key.md"
CYCLES = ROOT / "docs" / "how-to" / "plan-a-project.md"
FIELDS = ROOT / "docs" / "how-to" / "add-custom-fields.md"
VIEWS = ROOT / "docs" / "how-to" / "save-a-view.md"
TEMPLATES = ROOT / "docs" / "how-to" / "use-a-task-template.md"
OWN = ROOT / "docs" / "how-to" / "see-your-own-work.md"
WORKFLOW = ROOT / "docs" / "how-to" / "define-a-workflow.md"
BLOCKING = ROOT / "docs" / "how-to" / "say-what-blocks-a-task.md"
INVITING = ROOT / "docs" / "how-to" / "invite-a-colleague.md"
COLLEAGUE = ROOT / "docs" / "how-to" / "see-a-colleague-through.md"
SHARING = ROOT / "docs" / "how-to" / "share-a-project.md"
PLANNING = ROOT / "docs" / "how-to" / "plan-and-discuss-a-task.md"
STEP = re.compile(r"^```sh\n(.*?)^```$(?:\n```console\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
BEHIND = "---- the next step"
pytestmark = [pytest.mark.acceptance, pytest.mark.servers]


def test_the_commands_of_the_readme_run_as_they_are_pasted(reader: Reader) -> None:
    blocks = BLOCK.findall(README.read_text(encoding="utf-8"))
    [commands] = [text for kind, text in blocks if kind == "sh" and "curl" in text]

    told = reader.run("set -eu\n" + reader.ours(commands))

    assert told.returncode == 0, told.stdout + told.stderr
    changed, refused, audit, before, undone, *verified = filter(None, told.stdout.splitlines())
    assert '"key":"ENG-1"' in changed
    assert '"code":"transition_not_allowed"' in refused
    assert '"type":"task.status_changed"' in audit
    assert '"status":"DONE"' in before
    assert '"asOf":{"seq":120,' in before
    assert '"undone":1,' in undone
    assert [line for line in verified if line.startswith("OK: ")]
    assert verified[-1].startswith("tasks: matches the log")


def test_a_colleague_is_invited_and_removed_by_the_words_of_the_page(reader: Reader) -> None:
    listed, preview, assigned, promoted, suspended = reader.follow(INVITING)

    assert '"email":"eve@acme.example"' in listed
    assert '"organization":{"name":' in preview
    assert '"account":false' in preview
    assert '"key":"ENG-1"' in assigned
    assert '"role":"MANAGER"' in promoted
    assert '"active":false' in suspended


def test_a_project_is_shared_and_hidden_by_the_words_of_the_page(reader: Reader) -> None:
    team, private, task, members, opened, moved = reader.follow(SHARING)

    assert '"role":"LEAD"' in team
    assert '"visibility":"PRIVATE"' in private
    assert '"key":"LAB-1"' in task
    assert '"userId":' in members
    assert '"key":"MIX"' in opened
    assert '"key":"MIX-1"' in moved


def test_a_task_is_planned_and_discussed_by_the_words_of_the_page(reader: Reader) -> None:
    planned, bare, labelled, _, below, ranked, moved, *discussed = reader.follow(PLANNING)
    mine, urgent, overdue, december, since, done, left, others, *discussed = discussed
    board, column, thread, edited, liked, edits, files, content, activity = discussed

    assert '"dueDate":"2031-05-16"' in planned
    assert '"labels":[]' in bare
    assert '"labels":["' in labelled
    assert '"title":"Draft the mail"' in below
    assert '"title":"Announce the release"' in ranked
    assert '"key":"NEWS-1"' in moved
    assert '"title":"Announce the release"' in mine
    assert '"nextCursor":null' in urgent
    assert '"items":[]' in overdue
    assert '"items":[]' in december
    assert '"key":"NEWS-1"' in since
    assert '"completedAt":null' not in done
    assert '"completedAt":"' in done
    assert '"key":"NEWS-1"' in left
    assert '"status":"DONE"' not in left
    assert '"completedAt":"' not in others
    assert '"completedAt":null' in others
    assert '"status":"IN_REVIEW"' in board
    assert '"status":"DONE"' not in column
    assert '"body":"I do."' in thread
    assert '"edits":1' in edited
    assert '"reactions":[{"emoji":"👍","users":["' in liked
    assert '"body":"I do."' in edits
    assert '"body":"I do, until Friday."' in edits
    assert '"name":"draft.txt"' in files
    assert content == "Dear customers,"
    assert '"type":"attachment.uploaded"' in activity


def test_a_colleague_joins_leaves_and_comes_back_by_the_words_of_the_page(reader: Reader) -> None:
    joined, codes, raised, made, lowered, refused, alone, back, *history = reader.follow(COLLEAGUE)

    assert '"role":"MEMBER"' in joined
    assert codes.startswith('{"recoveryCodes":[')
    assert '"role":"MANAGER"' in raised
    assert '"key":"EVE"' in made
    assert '"role":"MEMBER"' in lowered
    assert '"code":"not_permitted"' in refused
    assert '"role":null' in alone
    assert '"totp":true' in alone
    assert '"role":"MEMBER"' in back
    assert '"totp":true' in back
    assert [each for each in history if each not in ("member.joined", "member.invited")][-3:] == [
        "member.role_changed",
        "member.left",
        "member.invitation_accepted",
    ]


def test_a_project_is_planned_by_the_words_of_the_page(reader: Reader) -> None:
    cycles, milestones, put, progress, activity, *rest = reader.follow(CYCLES)
    listed, longer, restored = rest

    assert '"name":"Cycle 1"' in cycles
    assert '"date":"2031-06-01"' in milestones
    assert '"cycleId":"' in put
    assert '"progress":{"done":1,"all":1}' in progress
    assert '"type":"task.cycle_changed"' in activity
    assert '"items":[' in listed
    assert '"endsOn":"2031-05-23"' in longer
    assert '"name":"Beta"' in restored


def test_custom_fields_are_added_by_the_words_of_the_page(reader: Reader) -> None:
    cost, listed, filled, emptied, small, both, *later = reader.follow(FIELDS)
    within, quoted, ordered, changed, restored = later

    assert '"key":"cost"' in cost
    assert '"key":"size"' in listed
    assert '"fields":{"cost":12.5,"size":"s"}' in filled
    assert '"fields":{"size":"s"}' in emptied
    assert '"key":"ENG-1"' in small
    assert '"items":[]' in both
    assert '"items":[]' in within
    assert '"items":[]' in quoted
    assert '"key":"ENG-1"' in ordered
    assert '"retired":true' in changed
    assert '"key":"size"' in restored


def test_a_view_is_saved_by_the_words_of_the_page(reader: Reader) -> None:
    listed, urgent, mine, free, shared, late, none, restored = reader.follow(VIEWS)

    assert '"name":"Urgent"' in listed
    assert '"key":"ENG-3"' in urgent
    assert '"key":"APP-1"' in mine
    assert '"assignees":[]' in free
    assert '"assignees":["' not in free
    assert '"shared":true' in shared
    assert '"filter":{"overdue":true}' in late
    assert '"items":[]' in none
    assert '"name":"Urgent"' in restored


def test_a_task_is_created_from_a_template_by_the_words_of_the_page(reader: Reader) -> None:
    listed, copied, made, changed, restored = reader.follow(TEMPLATES)

    assert '"name":"Bug report"' in listed
    assert '"name":"As ENG-1"' in copied
    assert '"subtasks":{"done":0,"all":2}' in made
    assert '"templateLeftOut":[]' in made
    assert '"dueIn":14' in changed
    assert '"name":"Bug report"' in restored


def test_somebody_sees_their_own_work_by_the_words_of_the_page(reader: Reader) -> None:
    *told, on, off = reader.follow(OWN)

    assert told == ["ENG-3", "2031-05-16", "ENG-3", "ENG-3", "mentioned", "0"]
    assert (on, off) == ('{"digest":true}', '{"digest":false}')


def test_an_api_key_is_used_by_the_words_of_the_page(reader: Reader) -> None:
    projects, moved, audited, rotated, renamed, listed = reader.follow(KEYS)

    assert '"key":"ENG"' in projects
    assert '"status":"IN_PROGRESS"' in moved
    assert '"type":"api_key"' in audited
    assert '"key":"tr_live_' in rotated
    assert '"name":"Build server"' in renamed
    assert '"lastUsedAt"' in listed


def test_a_workflow_is_defined_and_a_blocker_passed_by_the_words_of_the_pages(
    reader: Reader,
) -> None:
    standard, _, task, defined, building, live, again = reader.follow(WORKFLOW)
    _, _, related, blocked, forced = reader.follow(BLOCKING)

    assert '"preset":"standard"' in standard
    assert '"status":"TODO"' in task
    assert '"moved":{"TODO":"IDEA"}' in defined
    assert '"status":"BUILD","group":"IN_PROGRESS"' in building
    assert '"status":"LIVE","group":"DONE"' in live
    assert '"status":"BUILD"' in again
    assert '"kind":"blocked_by"' in related
    assert '"key":"ENG-1"' in blocked
    assert '"status":"DONE"' in forced


def test_an_account_is_protected_by_the_words_of_the_page(reader: Reader) -> None:
    codes, logged_in, sessions, asked, proved, required, told, limited = reader.follow(PROTECTING)

    assert codes.startswith('{"recoveryCodes":[')
    assert '"totp":true' in logged_in
    assert '"current":true' in sessions
    assert '"detail"' in asked
    assert '"accessToken"' in proved
    assert '"requireTotp":true' in required
    assert '"securityContacts":["security@acme.example"]' in told
    assert '"sessionIdle":1800,"sessionMax":28800' in limited


def test_an_export_is_verified_by_the_words_of_the_page(reader: Reader) -> None:
    verified = [line for line in reader.follow(EXPORTING) if line.startswith("OK: ")]

    assert len(verified) == 2  # before and after the checkpoint
    assert verified[0] != verified[1]
    exported = {path.name for path in reader.folder.glob("*.jsonl")}
    assert exported == {"history.jsonl", "operator.jsonl", "later.jsonl", "events.ocsf.jsonl"}


def test_an_event_is_proven_by_the_words_of_the_page(reader: Reader) -> None:
    verified = [line for line in reader.follow(PROVING) if line.startswith("OK: ")]

    whole, alone, told, grown = verified
    assert whole == alone == told
    assert whole.startswith("OK: event 3 (")
    assert " begin with the first " in grown


def test_the_tutorial_ends_with_a_verified_webhook_and_history(reader: Reader) -> None:
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert blocks[0] == ("sh", "make run\n")
    [receiver] = [text for kind, text in blocks if kind == "python"]
    scratch = reader.folder / "scratch"
    scratch.mkdir()
    (scratch / "receiver.py").write_text(reader.ours(receiver))
    steps = [reader.ours(text) for kind, text in blocks[1:] if kind == "sh"]

    told = reader.run("set -eu\ntrap 'kill $(jobs -p)' EXIT\n" + "\n".join(steps) + WAIT)

    assert told.returncode == 0, told.stdout + told.stderr
    received = (scratch / "received.txt").read_text().splitlines()
    assert [line.split()[1] for line in received] == [
        "task.created",
        "task.status_changed",
        "task.status_changed",
    ]
    places = [line.split() for line in received]
    assert [later[2] for later in places[1:]] == [earlier[4] for earlier in places[:-1]]
    assert '"code":"transition_not_allowed"' in told.stdout
    assert '"allowed":["TODO","IN_PROGRESS"]' in told.stdout
    assert told.stdout.rstrip().endswith("found out")


def steps() -> Iterator[tuple[str, str]]:
    """Yield the commands of each step of the work but the start, and what it says they print."""
    (start, _), *found = STEP.findall(WORK.read_text(encoding="utf-8"))
    assert start == "make run\n"
    yield from found


def test_each_step_of_the_work_prints_what_its_tutorial_says(reader: Reader) -> None:
    told = [*steps()]
    script = "\n".join(f"{reader.ours(commands)}\necho '{BEHIND}'" for commands, _ in told)

    done = reader.run(f"set -eu\n{script}")

    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.split(f"{BEHIND}\n")[:-1]
    for (commands, says), prints in zip(told, printed, strict=True):
        assert says, commands
        assert prints == says, commands


WAIT = f"""
for _ in $(seq {DELIVERY_S * 10:.0f}); do
  test "$(wc -l < received.txt)" -ge 3 && break
  read -rt 0.1 <> <(:) || :
done
"""
