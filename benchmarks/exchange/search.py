"""How long does a search over 100,000 tasks take, on SQLite and, if there is one, a `mongod`?

Each task has a title of 6 words and a description of 30, from a vocabulary of 20,000 in which few
words are common; the commonest are in most tasks, and two in half of them each, but together in
few. A tenth of the tasks are in a private project that the searcher does not see. Measured is what
the API does after it knows who asks: the index, the texts as they are now, the highlights; 50 hits
a page, the first one and the one after it.
SecantusDB stands in for a `mongod` elsewhere, and not here: its server in Python reads whole
collections where an index has texts (version 0.7.0b3), and the one in Rust stops answering while
it gets the 100,000 tasks (0.5.3-beta.196).
The last time, other programs kept the machine busy, so the searches were run with ``chrt -r 5``,
which gives them the cores first.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import accumulate
from statistics import quantiles
from typing import Any
from uuid import UUID, uuid4

import uvloop

from benchmarks.harness.figures import Figure, interleaved
from benchmarks.harness.workplace import workplace
from devstack.mongo import MONGOD, mongo, mongo_engine
from domain.base import OrgId, ProjectId, UserId
from domain.work.project.state import Project
from domain.work.task.events import Priority, TaskCreated
from domain.work.workflow.events import StatusGroup
from eventstore.recorded import Recorded, microseconds
from eventstore.store import LogIdentity
from projections.base import Document, Projection, document_id
from projections.engine.find import ReadModels
from projections.engine.mongo.store import MongoReadStore
from projections.engine.planning import begun
from projections.engine.progress import Progress
from projections.engine.sqlite.store import SQLiteReadStore
from projections.engine.store import Batch, ReadStore, ShapedCollection, Written
from projections.exchange.hits import Sight, hits_of
from projections.exchange.search import SearchedTexts
from projections.exchange.words import asked_words
from projections.work.comment import Comments
from projections.work.task import Tasks

TASKS = 100_000
ROUNDS = 3
PAGE = 50
BATCH = 500
SEARCHES = 20
"""Searches of each kind in a round."""
MEETING = 2_000
"""One of so many tasks has both of two words of which each of the others has one."""
TARGET_MS = 50.0
MODELS: tuple[Projection[Any], ...] = (SearchedTexts(), Tasks(), Comments())

ORG, OPEN, HIDDEN = OrgId(UUID(int=1)), ProjectId(UUID(int=2)), ProjectId(UUID(int=3))
SIGHT = Sight({OPEN: Project(key="ENG")}, frozenset({HIDDEN}))
_SYLLABLES = [a + b for a in "bdfgklmnprst" for b in ("a", "e", "i", "o", "u", "ar", "en", "is")]
_chance = random.Random(1)
WORDS = ["".join(_chance.choices(_SYLLABLES, k=_chance.randint(1, 4))) for _ in range(20_000)]
_HOW_OFTEN = [*accumulate(1 / (rank + 1) for rank in range(len(WORDS)))]


def measure() -> list[Figure]:
    """Return the 95th percentile of searches of every kind, on both engines."""
    with workplace() as directory, ExitStack() as things:
        runner = things.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        stores: dict[str, ReadStore] = {
            "SQLite": SQLiteReadStore(directory / "readmodels.db", timeout_s=30)
        }
        if mongo_engine() == MONGOD:
            server = things.enter_context(mongo(directory / "mongo"))
            stores["MongoDB"] = MongoReadStore(server.url, uuid4().hex, timeout_s=30)
        figures: list[Figure] = []
        for engine, store in stores.items():
            figures += _figures(engine, store, runner.run)
            runner.run(store.close())
    return figures


def _figures(engine: str, store: ReadStore, run: Callable[[Any], Any]) -> Iterator[Figure]:
    """Yield the figures of one engine."""
    began = time.perf_counter()
    run(_fill(store))
    filled = TASKS / (time.perf_counter() - began)
    models = ReadModels(store, Progress(store), MODELS)

    def cell(kind: Callable[[], str]) -> Callable[[], list[float]]:
        return lambda: run(_times_ms(models, [kind() for _ in range(SEARCHES)]))

    measured = interleaved(ROUNDS, {name: cell(kind) for name, kind in KINDS.items()})
    every = [[ms for each in some for ms in each] for some in zip(*measured.values(), strict=True)]
    yield Figure(
        what=f"{engine}: search over {TASKS:,} tasks, 95th percentile of all",
        unit="ms",
        rounds=[_p95(some) for some in every],
        target=TARGET_MS,
        at_least=False,
    )
    for name, some in measured.items():
        what = f"{engine}: {name}, 95th percentile"
        yield Figure(what=what, unit="ms", rounds=[_p95(times) for times in some])
    yield Figure(what=f"{engine}: tasks stored for it", unit="tasks/s", rounds=[filled])


def _p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20, method="inclusive")[-1]


def _common() -> str:
    return _chance.choice(WORDS[:20])


def _rare() -> str:
    return _chance.choice(WORDS[5_000:])


KINDS: dict[str, Callable[[], str]] = {
    "a common word": _common,
    "a rare word": _rare,
    "the beginning of a word, 3 letters": lambda: _rare()[:3],
    "the beginning of a word, 5 letters": lambda: _rare()[:5],
    "two common words": lambda: f"{_common()} {_common()}",
    "two common words that meet in 50 tasks": lambda: "oddly evenly",
    "a rare word and a common one": lambda: f"{_rare()} {_common()}",
    "two rare words": lambda: f"{_rare()} {_rare()}",
    "the key of a task": lambda: f"eng-{_chance.randint(1, TASKS)}",
}


async def _times_ms(models: ReadModels, queries: Sequence[str]) -> list[float]:
    """Return how long each search takes, and that for its next page."""
    times: list[float] = []
    for query in queries:
        asked, after = asked_words(query), None
        for _ in range(2):
            began = time.perf_counter()
            page = await hits_of(models, ORG, asked, SIGHT, PAGE, after)
            times.append((time.perf_counter() - began) * 1_000)
            after = page.next_key
            if after is None:
                break
    return times


async def _fill(store: ReadStore) -> None:
    """Store the documents of all tasks, as a projector does."""
    chance = random.Random(2)
    control = begun(None, MODELS, LogIdentity(uuid4(), 1), {})
    targets: list[ShapedCollection] = []
    for model in MODELS:
        live = control.live(model.name)
        assert live is not None
        targets.append(ShapedCollection(live.name, model.shape))
        await store.create(targets[-1])
    for first in range(1, TASKS + 1, BATCH):
        events = [_created(number, chance) for number in range(first, first + BATCH)]
        written = [
            Written(target, [_document(model, event) for event in events])
            for model, target in zip(MODELS[:2], targets, strict=False)
        ]
        control = await store.write(Batch(control=control, written=written))


def _document(model: Projection[Any], event: Recorded) -> Document:
    key = document_id(ORG, event.stream_id)
    return model.document(key, model.fold(key, None, event), event)


def _created(number: int, chance: random.Random) -> Recorded:
    """Return the creation of a task."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    words = chance.choices(WORDS, cum_weights=_HOW_OFTEN, k=36)
    apart = "oddly evenly" if number % MEETING == 0 else ("oddly", "evenly")[number % 2]
    event = TaskCreated(
        project_id=HIDDEN if number % 10 == 0 else OPEN,
        project_key="ENG",
        number=number,
        title=" ".join(words[:6]),
        description=" ".join([*words[6:], apart]),
        status="TODO",
        group=StatusGroup.TODO,
        priority=Priority.MEDIUM,
        created_by=UserId(UUID(int=4)),
        created_at=at,
    )
    return Recorded(
        position=number,
        org_id=ORG,
        org_seq=number,
        stream_id=UUID(int=10_000 + number),
        version=1,
        recorded_at=microseconds(at),
        event=event,
        state=b"{}",
    )
