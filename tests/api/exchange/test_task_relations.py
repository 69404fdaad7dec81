"""Relations of a project to others leave it and come into another organization."""

from urllib.parse import quote

from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.exchange.streams import member
from tests.api.exchange.task_files import (
    exported,
    imported,
    in_lines,
    rehearsed,
    without_keys,
)
from tests.api.stage import Json, Person, done, sign_up

MAPPED = "?mapping=" + quote('{"projects":{"OPS":"RUN"}}')


async def two_projects(ana: Person) -> tuple[Json, Json]:
    """Return two projects whose tasks block, duplicate and concern each other."""
    eng, ops = await ana.project(), await ana.project("OPS")
    one, two = await ana.task(eng, "One"), await ana.task(eng, "Two")
    far = await ana.task(ops, "Far")
    for task, kind, to in (
        (one, "blocks", two),
        (one, "blocks", far),
        (far, "blocks", two),
        (two, "duplicates", far),
        (far, "relates", one),
    ):
        body = {"kind": kind, "taskId": to["id"]}
        done(await ana.post(f"/task/{task['id']}/relations", body), 201)
    return eng, ops


def relations_in(lines: list[Json]) -> list[Json]:
    return [line for line in lines if line.get("type") == "relation"]


async def test_projects_that_are_related_come_into_another_organization(
    app: Litestar, ana: Person
) -> None:
    eng, ops = await two_projects(ana)
    eve = await sign_up(app)
    copies = [await eve.project("ENG"), await eve.project("RUN")]
    files = [await exported(ana, each) for each in (eng, ops)]

    _, first = await imported(eve, copies[0], in_lines(*files[0]), MAPPED)
    _, second = await imported(eve, copies[1], in_lines(*files[1]))
    _, again = await imported(eve, copies[0], in_lines(*files[0]), MAPPED)
    theirs = [await exported(eve, each) for each in copies]

    assert [each["code"] for each in first["refused"]] == ["unknown_task"] * 4  # not there yet
    assert (second["refused"], again["refused"]) == ([], [])
    assert (again["created"], again["unchanged"]) == (0, len(files[0]))
    for ours, copied in zip(files, theirs, strict=True):
        renamed = [
            {**line, "toProject": "OPS"} if line.get("toProject") == "RUN" else line
            for line in without_keys(copied)
        ]
        assert renamed == without_keys(ours)
    kinds = [(each["kind"], each["toProject"]) for each in relations_in(files[1])]
    assert kinds == [
        *(("blocks", "ENG"), ("blocked_by", "ENG"), ("duplicated_by", "ENG"), ("relates", "ENG")),
    ]


async def test_relations_to_what_somebody_does_not_see_are_not_told(
    app: Litestar, system: System, ana: Person
) -> None:
    eng, ops = await two_projects(ana)
    ben = await member(app, system, ana, Role.MEMBER)
    everything = await exported(ben, eng)
    done(await ana.patch(f"/project/{ops['id']}", {"visibility": "PRIVATE"}), 200)

    hidden = await exported(ben, eng)
    shown = await exported(ana, eng)
    done(await ana.delete(f"/project/{ops['id']}"), 204)
    trashed = await exported(ana, eng)

    assert len(relations_in(everything)) == 5
    assert shown == everything
    assert hidden == trashed == [each for each in everything if "toProject" not in each]


async def test_a_relation_finds_only_a_task_that_whoever_imports_sees(
    app: Litestar, system: System, ana: Person
) -> None:
    eng, ops = await ana.project(), await ana.project("OPS")
    done(await ana.patch(f"/project/{ops['id']}", {"key": "RUN"}), 200)
    far = await ana.task(ops, "Far")
    await imported(ana, ops, in_lines({"id": "J-9", "title": "Old"}))
    ben = await member(app, system, ana, Role.MANAGER)
    eve = await sign_up(app)
    foreign = await eve.task(await eve.project(), "Foreign")
    link: Json = {"type": "relation", "task": "a", "kind": "relates"}
    lines: list[Json] = [
        {"id": "a", "title": "A"},
        {**link, "to": "RUN-1"},
        {**link, "to": "OPS-2", "kind": "blocks"},  # its old key
        {**link, "to": far["id"], "kind": "duplicates"},
        {**link, "to": "J-9", "toProject": "RUN"},
        {**link, "to": "J-9"},
        {**link, "to": "RUN-3"},
        {**link, "to": "ENG-1", "toProject": "RUN"},
        {**link, "to": foreign["id"]},
        {**link, "to": "RUN-1", "toProject": "run"},
    ]

    done(await ana.patch(f"/project/{ops['id']}", {"visibility": "PRIVATE"}), 200)
    hidden, _ = await rehearsed(ben, eng, in_lines(*lines))
    would, _ = await rehearsed(ana, eng, in_lines(*lines))
    _, last = await imported(ana, eng, in_lines(*lines))

    codes = {each["line"]: each.get("code", each["outcome"]) for each in would}
    assert [codes[n] for n in range(1, 11)] == [
        *["created"] * 5,
        *["unknown_task"] * 4,
        "invalid_line",
    ]
    refusals = {each["line"]: each["code"] for each in last["refused"]}
    assert refusals == {n: code for n, code in codes.items() if code != "created"}
    assert [each["code"] for each in hidden if "code" in each] == [
        "invalid_line",
        *["unknown_task"] * 8,
    ]
