"""Comments, relations and files leave a project beside its tasks, and come into another one."""

from litestar import Litestar

from runtime.system import System
from tests.api.exchange.task_files import (
    exported,
    fields_in,
    full_project,
    imported,
    in_lines,
    rehearsed,
)
from tests.api.stage import Json, Person, done


async def test_what_is_imported_tells_nobody_and_shows_who_wrote_it(
    app: Litestar, system: System, ana: Person
) -> None:
    project, ben = await full_project(app, system, ana)
    copy = done(await ana.post("/project", {"key": "COPY", "name": "Copy"}), 201)
    await fields_in(ana, copy)
    lines = await exported(ana, project)
    told = await _told_of_texts(ben)

    tasks, _ = await imported(ana, copy, in_lines(*lines))
    engine = next(task for task in tasks.values() if task["title"] == "Engine")
    said = done(await ana.get(f"/task/{engine['id']}/comments"), 200)["items"]
    related = done(await ana.get(f"/task/{engine['id']}/relations"), 200)["items"]

    first, answer = said
    assert (first["imported"]["author"], answer["imported"]["author"]) == (ana.email, ben.email)
    assert (answer["body"], answer["createdBy"]) == ("Söon 🚂", ana.id)
    assert answer["parentId"] == first["id"]
    assert (first["mentions"], engine["watchers"]) == ([ben.id], [ana.id])
    assert engine["mentions"] == [ben.id, ana.id]
    assert [each["kind"] for each in related] == ["blocks", "relates"]
    assert [each["type"] for each in told] == ["comment.posted", "task.mentioned"]
    assert await _told_of_texts(ben) == told


async def _told_of_texts(person: Person) -> list[Json]:
    notices = done(await person.get("/inbox"), 200)["items"]
    kinds = ("comment.", "task.mentioned")
    return [each for each in notices if each["type"].startswith(kinds)]


async def test_a_comment_or_relation_that_cannot_be_is_refused_alone(ana: Person) -> None:
    project, other = await ana.project(), await ana.project("OPS")
    await imported(ana, other, in_lines({"id": "far", "title": "Far"}))
    word: Json = {"type": "comment", "body": "Well?"}
    link: Json = {"type": "relation", "kind": "blocks"}
    lines: list[Json] = [
        {**word, "id": "c1", "task": "b"},  # before its task
        {"id": "a", "title": "A"},
        {"id": "b", "title": "B"},
        {**word, "id": "c2", "task": "far"},
        {**word, "id": "c3", "task": "a", "parent": "c1"},  # of another task
        {**word, "id": "c4", "task": "a", "body": " "},
        {**word, "id": "c1", "task": "a"},  # an id is one of its task
        {**word, "id": "c5", "task": "b", "parent": "c1", "mentions": ["nobody@else.example"]},
        {**word, "id": "c6", "task": "b", "parent": "c5"},
        {**word, "id": "c1", "task": "b"},
        {**link, "task": "a", "to": "b"},
        {**link, "task": "b", "to": "a"},
        {**link, "task": "a", "to": "b"},
        {**link, "task": "a", "to": "far"},
        {**link, "task": "a", "to": "b", "kind": "likes"},
    ]

    would, _ = await rehearsed(ana, project, in_lines(*lines))
    _, last = await imported(ana, project, in_lines(*lines))

    codes = {each["line"]: each.get("code", each["outcome"]) for each in would}
    assert [codes[n] for n in range(1, 16)] == [
        *("created", "created", "created", "unknown_task", "unknown_parent", "invalid_line"),
        *("created", "created", "thread_too_deep", "unchanged"),
        *("created", "relation_cycle", "unchanged", "unknown_task", "invalid_line"),
    ]
    refusals = {each["line"]: each["code"] for each in last["refused"]}
    assert refusals == {n: code for n, code in codes.items() if "created" != code != "unchanged"}
    assert (last["created"], last["unchanged"], last["all"]) == (6, 2, 15)


async def test_an_export_names_files_and_an_import_ignores_them(ana: Person) -> None:
    project = await ana.project()
    task = await ana.task(project)
    headers = {"content-disposition": 'attachment; filename="plan.txt"'}
    path = f"/task/{task['id']}/attachments"
    file = done(await ana.ask("POST", path, content=b"oil", headers=headers), 201)

    [line] = await exported(ana, project)
    table = (await ana.get(f"/project/{project['id']}/export?format=csv")).text
    copy = done(await ana.post("/project", {"key": "COPY", "name": "Copy"}), 201)
    tasks, _ = await imported(ana, copy, in_lines(line))

    [told] = line["files"]
    about = {"id": file["id"], "name": "plan.txt", "size": 3, "sha256": file["sha256"]}
    assert told == {**told, **about, "createdBy": ana.email}
    assert "files" not in table.splitlines()[0]
    assert [each["attachments"] for each in tasks.values()] == [0]


async def test_a_task_that_was_moved_gets_nothing_from_where_it_was(ana: Person) -> None:
    project, other = await ana.project(), await ana.project("OPS")
    tasks, _ = await imported(ana, project, in_lines(*({"id": n, "title": n} for n in "ab")))
    moved = {"projectId": other["id"]}
    done(await ana.post(f"/task/{tasks['a']['id']}/move", moved), 200)
    lines: list[Json] = [
        {"type": "comment", "id": "c1", "task": "a", "body": "Well?"},
        {"type": "relation", "kind": "blocks", "task": "b", "to": "a"},
    ]

    _, last = await imported(ana, project, in_lines(*lines))

    assert [each["code"] for each in last["refused"]] == ["unknown_task"] * 2
