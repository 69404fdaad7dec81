"""A search finds what a plain reading of all texts finds, by both engines alike."""

import json
import random
import re
from typing import Any
from unicodedata import normalize
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.base import CommentId, OrgId, ProjectId, TaskId
from domain.work.comment import CommentDeleted, CommentEdited, CommentRestored
from domain.work.project.state import Project
from domain.work.task.events import (
    TaskDeleted,
    TaskDescribed,
    TaskMoved,
    TaskRestored,
    TaskRetitled,
)
from domain.work.workflow.events import StatusGroup
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.engine.store import ReadStore
from projections.exchange.hits import Sight, hits_of
from projections.exchange.search import SearchedTexts
from projections.exchange.words import asked_words
from tests.commands.acme import ACCOUNTS, HERE, OPS, comment, task
from tests.domain.spec import ACME, ANA, ENG, OTHER
from tests.projections.engine.test_find import SLOW, Asked
from tests.projections.spec import live, models_of, project_all
from tests.spec import on, opened, record

STEPS = 250
WORDS = (
    "Oil",
    "oiled",
    "gears",
    "GEAR",
    "Straße",
    "STRASSEN",
    "ﬁx",
    "fixed",
    "x",
    "Über",
    "deploys",
    "東京都",
    "京都駅",
)
QUERIES = (
    "oil",
    "oil gear",
    "gears oil",
    "strasse",
    "x",
    "fix",
    "über",
    "deplo",
    "gear",
    "gear x",
    "oiled x fi",
    "京都",
    "京 oil",
    "ops",
    "eng 1",
    "eng-12",
    "nothing",
)
PROJECTS = {ENG: Project(key="ENG"), OPS: Project(key="OPS")}
ALL = Sight(PROJECTS, frozenset())
ENG_ONLY = Sight({ENG: PROJECTS[ENG]}, frozenset({OPS}))
UNLISTED = Sight({ENG: PROJECTS[ENG]}, frozenset())
"""As after a project was deleted, which is not private."""


class Texts:
    """What people write: plain dictionaries, oldest first, and the events that follow."""

    def __init__(self, log: EventLog, seed: int) -> None:
        self.log, self.chance = log, random.Random(seed)  # noqa: S311 - the same story each time
        self.tasks: dict[UUID, dict[str, Any]] = {}
        self.comments: dict[UUID, dict[str, Any]] = {}
        self.order: list[UUID] = []

    def text(self) -> str:
        return " ".join(self.chance.choices(WORDS, k=self.chance.randint(1, 4)))

    async def step(self) -> None:
        """Let somebody write, change, move, delete or restore something."""
        if len(self.tasks) < 3 or self.chance.random() < 0.2:
            await self._create()
        elif self.chance.random() < 0.3:
            await self._comment()
        elif self.comments and self.chance.random() < 0.4:
            chosen = self.chance.choice([*self.comments])
            await record(self.log, on(chosen, self._about_comment(self.comments[chosen])))
        else:
            chosen = self.chance.choice([*self.tasks])
            await record(self.log, on(chosen, self._about_task(self.tasks[chosen])))

    async def _create(self) -> None:
        number, title = len(self.tasks) + 1, self.text()
        stream = TaskId(UUID(int=80_000 + number))
        project, key = self.chance.choice([(ENG, "ENG"), (OPS, "OPS")])
        made = replace(task(number, project=project, key=key), title=title)
        await record(self.log, on(stream, made))
        known = {"project": project, "key": f"{key}-{number}", "title": title, "body": ""}
        self.tasks[stream] = {**known, "number": number, "trash": False}
        self.order.append(stream)

    async def _comment(self) -> None:
        stream, body = CommentId(UUID(int=90_000 + len(self.comments))), self.text()
        about = TaskId(self.chance.choice([*self.tasks]))
        await record(self.log, on(stream, comment(body=body, task_id=about)))
        self.comments[stream] = {"task": about, "body": body, "trash": False}
        self.order.append(stream)

    def _about_task(self, known: dict[str, Any]) -> Any:
        if known["trash"] or self.chance.random() < 0.15:
            known["trash"] = not known["trash"]
            return TaskDeleted() if known["trash"] else TaskRestored()
        match self.chance.randint(1, 3):
            case 1:
                before, known["title"] = known["title"], self.text()
                return TaskRetitled(from_=before, to=known["title"])
            case 2:
                known["body"] = self.text() if self.chance.random() < 0.8 else ""
                return TaskDescribed(description=known["body"] or None)
            case _:
                return self._moved(known)

    def _moved(self, known: dict[str, Any]) -> TaskMoved:
        before, key = known["project"], known["key"]
        to, to_key = (OPS, "OPS") if before == ENG else (ENG, "ENG")
        known["number"] += 1_000
        known["project"], known["key"] = to, f"{to_key}-{known['number']}"
        return TaskMoved(
            from_project_id=before,
            from_key=key,
            project_id=ProjectId(to),
            project_key=to_key,
            number=known["number"],
            status="TODO",
            group=StatusGroup.TODO,
            parent_id=None,
        )

    def _about_comment(self, known: dict[str, Any]) -> Any:
        if known["trash"] or self.chance.random() < 0.2:
            known["trash"] = not known["trash"]
            if known["trash"]:
                return CommentDeleted(task_id=known["task"], deleted_by=ANA)
            return CommentRestored(task_id=known["task"])
        known["body"] = self.text()
        return CommentEdited(task_id=known["task"], body=known["body"])

    def found(self, query: str, projects: Any) -> list[str]:
        """Return the ids of what *query* finds, newest first."""
        *whole, last = plain(query)
        found: list[str] = []
        for stream in reversed(self.order):
            said = self.comments.get(stream)
            about = self.tasks[stream if said is None else said["task"]]
            if about["trash"] or about["project"] not in projects or (said and said["trash"]):
                continue
            text = f"{about['key']} {about['title']} {about['body']}" if not said else said["body"]
            words = plain(text)
            begun = any(
                word == last or (len(last) > 2 and word.startswith(last)) or unspaced(last, word)
                for word in words
            )
            there = [any(e == word or unspaced(e, word) for word in words) for e in whole]
            if begun and all(there):
                found.append(str(stream))
        return found


def unspaced(asked: str, word: str) -> bool:
    """Return whether *asked* stands in a word of Chinese."""
    return asked in word and any(letter in "東京都駅" for letter in asked)


def plain(text: str) -> list[str]:
    return re.findall(r"\w+", normalize("NFKC", normalize("NFKC", text).casefold()))


async def whole(
    models: ReadModels, query: str, sight: Sight, limit: int, org_id: OrgId = ACME
) -> list[str]:
    """Return the ids of all that *query* finds, read page by page."""
    found: list[str] = []
    after: int | None = None
    while True:
        page = await hits_of(models, org_id, asked_words(query), sight, limit, after)
        hits = [json.loads(item) for item in page.items]
        found += [hit["commentId"] or hit["taskId"] for hit in hits]
        after = page.next_key
        if after is None:
            return found
        assert len(hits) == limit
        assert page.size == limit, "a page with a next one is full"


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_search_equals_a_reading_of_all_texts(store: ReadStore, seed: int) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS)
        texts = Texts(log, seed)
        for _ in range(STEPS):
            await texts.step()
        await project_all(log, store)
    models = models_of(store)

    counts: dict[str, int] = {}
    for query in QUERIES:
        for sight in (ALL, ENG_ONLY, UNLISTED):
            expected = texts.found(query, sight.projects)
            assert await whole(models, query, sight, 3) == expected, query
            counts[query] = len(expected)
    assert sum(count > 3 for count in counts.values()) >= 6
    assert await whole(models, "oil", ALL, 3, OTHER) == []


async def test_a_hit_shows_where_the_words_are(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        await project_all(log, store)

    page = await hits_of(models_of(store), ACME, asked_words("eng oil"), ALL, 5)

    [hit] = [json.loads(item) for item in page.items]
    assert (hit["key"], hit["title"], hit["commentId"]) == ("ENG-1", "Oil it", None)
    assert [(one["field"], one["parts"]) for one in hit["excerpts"]] == [
        ("key", [{"text": "ENG", "found": True}, {"text": "-1", "found": False}]),
        ("title", [{"text": "Oil", "found": True}, {"text": " it", "found": False}]),
    ]


async def test_an_index_answers_every_search(store: ReadStore) -> None:
    async with opened(MemoryStore()) as log:
        await record(log, *ACCOUNTS, *HERE)
        await project_all(log, store)
    (models := Asked(store, Progress(store), PROJECTIONS)).queries = []

    for sight in (ALL, ENG_ONLY):
        for after in (None, 1_000):
            await hits_of(models, ACME, asked_words("eng oil"), sight, 5, after)
            await hits_of(models, ACME, asked_words("oi"), sight, 5, after)

    assert len(models.queries) == 8 + 8, "with a probe for each of two words"
    target = await live(store, SearchedTexts())
    for query in models.queries:
        plan = await store.explain(target, query)
        assert "by_org_terms_seq" in plan, f"{query}: {plan}"
        assert not [word for word in SLOW if word in plan], f"{query}: {plan}"
