"""The tasks of a project are reached by its id and by its key, like everything of a project."""

from tests.api.stage import Person, done, refused
from tools.http import description


async def test_the_tasks_of_a_project_are_created_and_listed_by_its_key(ana: Person) -> None:
    await ana.project()

    made = done(await ana.post("/project/eng/tasks", {"title": "Oil it"}), 201)
    first = await ana.get("/project/ENG/tasks?limit=1")
    other = done(await ana.post("/project/ENG/tasks", {"title": "Wax it"}), 201)
    page = done(await ana.get("/project/ENG/tasks?limit=1"), 200)
    rest = await ana.get(f"/project/ENG/tasks?limit=1&cursor={page['nextCursor']}")

    assert [each["id"] for each in done(first, 200)["items"]] == [made["id"]]
    assert [each["id"] for each in page["items"]] == [other["id"]]
    assert [each["id"] for each in done(rest, 200)["items"]] == [made["id"]]
    for key in ("OPS", "no-key", "%00"):
        refused(await ana.get(f"/project/{key}/tasks"), 404, "not_found")
        refused(await ana.post(f"/project/{key}/tasks", {"title": "Oil it"}), 404, "not_found")


def test_every_path_of_a_project_takes_its_key() -> None:
    paths = [path for path in description()["paths"] if path.startswith("/api/project/{")]

    assert {path.split("/")[3] for path in paths} == {"{project}"}
