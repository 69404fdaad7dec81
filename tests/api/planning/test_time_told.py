"""What others are told of logged time, how it is undone, and where what was deleted is found."""

from typing import Any

import pytest

from tests.api.planning import time_logging
from tests.api.planning.time_logging import LOGS, log, spent
from tests.api.stage import Person, done, refused

task, ben, mia = time_logging.task, time_logging.ben, time_logging.mia


@pytest.mark.usefixtures("task")
class TestTimeTold:
    async def test_its_activity_and_live_readers_are_told_of_time_without_its_note(
        self, ana: Person, ben: Person
    ) -> None:
        entry = await log(ana, 30, note="Quicksilver")
        done(await ana.patch(f"{LOGS}/{entry['id']}", {"minutes": 45}), 200)

        activity = await ben.get("/task/ENG-1/activity?limit=2")
        events = await ben.get("/events?follow=false", headers={"last-event-id": "0"})

        changed, added = done(activity, 200)["items"]
        assert (changed["type"], added["type"]) == ("worklog.changed", "worklog.added")
        assert (changed["data"]["by"], added["data"]["minutes"]) == (15, 30)
        assert "event: worklog.added" in events.text
        assert "Quicksilver" not in activity.text + events.text

    async def test_an_undo_takes_time_back(self, ana: Person, ben: Person) -> None:
        def under(name: str) -> dict[str, Any]:
            return {"headers": {"x-correlation-id": name}}

        entry = done(await ana.post(LOGS, {"minutes": 30, "note": "Oil"}, **under("one")), 201)
        path = f"{LOGS}/{entry['id']}"
        done(await ana.patch(path, {"minutes": 5, "note": None}, **under("two")), 200)
        refused(await ben.post("/undo/two"), 403, "not_permitted")
        done(await ana.post("/undo/two"), 200)
        back = done(await ana.get(path), 200)
        assert (back["minutes"], back["note"], await spent(ana)) == (30, "Oil", 30)

        done(await ana.post("/undo/one"), 200)
        assert await spent(ana) == 0
        done(await ana.post(f"{path}/restore"), 200)
        assert await spent(ana) == 30

    async def test_if_match_is_about_the_entry(self, ana: Person) -> None:
        path = f"{LOGS}/{(await log(ana))['id']}"
        done(await ana.patch(path, {"minutes": 5}), 200)

        late = await ana.patch(path, {"minutes": 6}, headers={"if-match": '"1"'})

        refused(late, 412, "changed_since")

    async def test_members_find_their_own_time_in_the_trash(
        self, ana: Person, ben: Person, mia: Person
    ) -> None:
        hers, his = await log(ana, note="Oil"), await log(mia, userId=ben.id)
        for entry in (hers, his):
            done(await mia.delete(f"{LOGS}/{entry['id']}"), 204)

        found = {
            person: [
                (each["id"], each["name"], each["deletedBy"])
                for each in done(await person.get("/trash?type=worklog"), 200)["items"]
            ]
            for person in (ben, mia)
        }

        assert found[ben] == [(his["id"], "", mia.id)]
        assert found[mia] == [(his["id"], "", mia.id), (hers["id"], "Oil", mia.id)]
