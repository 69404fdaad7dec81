"""A file that is sent again with ``existing=update`` changes what it says, and nothing else."""

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.exchange.task_files import (
    exported,
    fields_in,
    full_project,
    head_of,
    imported,
    in_lines,
    rehearsed,
    without_keys,
)
from tests.api.stage import Json, Person, done

UPDATE = "?existing=update"


async def test_the_same_file_changes_nothing_and_a_changed_one_what_it_says(
    app: Litestar, system: System, ana: Person
) -> None:
    project, ben = await full_project(app, system, ana)
    copy = done(await ana.post("/project", {"key": "COPY", "name": "Copy"}), 201)
    await fields_in(ana, copy)
    lines = await exported(ana, project)
    await imported(ana, copy, in_lines(*lines))
    await head_of(ana)  # which is recorded, once an hour
    before = await head_of(ana)

    _, same = await imported(ana, copy, in_lines(*lines), UPDATE)
    _, own = await imported(ana, project, in_lines(*lines), UPDATE)
    unmoved = await head_of(ana)
    changed = _changed(lines, ben)
    would, would_last = await rehearsed(ana, copy, in_lines(*changed), UPDATE)
    still = without_keys(await exported(ana, copy))
    _, last = await imported(ana, copy, in_lines(*changed), UPDATE)
    shown = without_keys(await exported(ana, copy))
    _, again = await imported(ana, copy, in_lines(*changed), UPDATE)

    assert (same["created"], same["updated"], same["unchanged"]) == (0, 0, 9)
    assert (own["updated"], own["unchanged"], unmoved) == (0, 9, before)
    assert still == without_keys(lines)
    assert [(each["line"], each["outcome"]) for each in would[:4]] == [
        (1, "updated"),
        (2, "unchanged"),
        (3, "updated"),
        (4, "updated"),
    ]
    assert would[2]["fields"] == ["estimate", "assignees", "labels", "fields"]
    assert (would_last["updated"], would_last["unchanged"]) == (3, 6)
    assert (last["created"], last["updated"], last["unchanged"]) == (0, 3, 6)
    assert shown == without_keys(changed)
    assert (again["updated"], again["unchanged"]) == (0, 9)


def _changed(lines: list[Json], ben: Person) -> list[Json]:
    first, second, third, fourth, *rest = lines
    new = {"title": "Renamed", "priority": "LOW", "description": "New", "status": "IN_PROGRESS"}
    fields = third["fields"] | {"cost": 3, "size": "XL"}
    fuller = {"estimate": 8, "assignees": [ben.email], "labels": ["Bug"], "fields": fields}
    return [
        first | new,
        second,
        third | fuller,
        fourth | {"startDate": "2027-01-15"},
        *rest,
    ]


async def test_what_a_line_does_not_say_stays_and_labels_are_created(ana: Person) -> None:
    project = await ana.project()
    full = {"id": "a", "title": "One", "dueDate": "2027-01-31", "labels": ["Old"], "estimate": 3}
    await imported(ana, project, in_lines(full))

    tasks, last = await imported(
        ana,
        project,
        in_lines({"id": "a", "title": "Two", "labels": ["New"]}, {"id": "b", "title": "B"}),
        UPDATE,
    )

    assert (last["updated"], last["created"]) == (1, 1)
    task = tasks["a"]
    assert (task["title"], task["dueDate"], task["estimate"]) == ("Two", "2027-01-31", 3)
    assert (task["priority"], len(task["labels"])) == ("MEDIUM", 1)
    [line, _] = await exported(ana, project)
    assert line["labels"] == ["New"]


async def test_a_table_updates_the_columns_that_it_has(ana: Person) -> None:
    project = await ana.project()
    full = [{"id": f"{n}", "title": "One", "estimate": 3, "priority": "HIGH"} for n in range(60)]
    await imported(ana, project, in_lines(*full))
    table = "id,title,priority,estimate\r\n" + "".join(
        f"{n},One,{'MEDIUM' if n % 2 else ''},{n or ''}\r\n" for n in range(60)
    )

    tasks, last = await imported(ana, project, table.encode(), f"{UPDATE}&format=csv")

    assert (last["updated"], last["unchanged"]) == (59, 1)
    assert [tasks[f"{n}"]["priority"] for n in range(3)] == ["HIGH", "MEDIUM", "HIGH"]
    assert [tasks[f"{n}"]["estimate"] for n in range(3)] == [3, 1, 2]


async def test_each_line_is_refused_on_its_own_and_changes_nothing_then(
    app: Litestar, system: System, ana: Person
) -> None:
    project = await ana.project()
    done(await ana.patch(f"/org/{ana.org_id}/plan", {"plan": "BASIC"}), 200)
    flow = {
        "statuses": [
            {"key": "TODO", "name": "To do", "group": "TODO"},
            {"key": "DONE", "name": "Done", "group": "DONE"},
            {"key": "OPEN", "name": "Open", "group": "IN_PROGRESS"},
        ],
        "transitions": [{"from": "TODO", "to": "OPEN"}, {"from": "OPEN", "to": "DONE"}],
    }
    done(await ana.ask("PUT", f"/project/{project['id']}/workflow", json=flow), 200)
    await imported(ana, project, in_lines(*({"id": each, "title": "One"} for each in "abcde")))
    lines: list[Json] = [
        {"id": "a", "title": "Two", "status": "DONE"},
        {"id": "b", "title": "Two", "assignees": ["nobody@else.example"]},
        {"id": "c", "title": "Two", "status": "OPEN"},
        {"id": "d", "title": "Two", "startDate": "2027-02-01", "dueDate": "2027-01-01"},
        {"id": "e", "title": "Two", "fields": {"none": 1}},
    ]

    would, _ = await rehearsed(ana, project, in_lines(*lines), UPDATE)
    tasks, last = await imported(ana, project, in_lines(*lines), UPDATE)

    assert [each.get("code") for each in would] == [
        "transition_not_allowed",
        "unknown_person",
        None,
        "starts_after_due",
        "unknown_field",
    ]
    assert [each["code"] for each in last["refused"]] == [
        each["code"] for each in would if "code" in each
    ]
    assert {key: task["title"] for key, task in tasks.items()} == {
        "a": "One",
        "b": "One",
        "c": "Two",
        "d": "One",
        "e": "One",
    }


async def test_a_task_in_the_trash_is_left_alone(ana: Person) -> None:
    project = await ana.project()
    tasks, _ = await imported(ana, project, in_lines({"id": "a", "title": "One"}))
    done(await ana.delete(f"/task/{tasks['a']['id']}"), 204)

    _, last = await imported(ana, project, in_lines({"id": "a", "title": "Two"}), UPDATE)

    assert (last["updated"], last["unchanged"]) == (0, 1)


async def test_who_may_not_edit_updates_nothing(app: Litestar, system: System, ana: Person) -> None:
    project = await ana.project()
    await imported(ana, project, in_lines({"id": "a", "title": "One"}))
    scopes = {"task": ["read", "create"], "project": ["read"]}
    key = done(await ana.post("/apikey", {"name": "Import", "scopes": scopes}), 201)
    ben = await member(app, system, ana, Role.MEMBER)
    by_key = Person(ben.client, ben.email, {"id": ben.id, "organizationId": ben.org_id}, key["key"])

    lines = in_lines({"id": "a", "title": "Two"}, {"id": "b", "title": "New"})
    would, _ = await rehearsed(by_key, project, lines, UPDATE)

    assert [each["outcome"] for each in would] == ["refused", "created"]
    assert would[0]["code"] == "scope_missing"
