"""An endpoint that stands still while events wait is named; one with a reason is not."""

import logging
from functools import partial
from uuid import UUID

import pytest

from domain.hooks.webhook.events import PauseCause, WebhookPaused
from eventstore.operations.store import Changes
from projections.catalog import PROJECTIONS
from projections.engine.projector import Projector
from runtime.health.endpoint_watch import EndpointWatch
from tests.domain.spec import ACME
from tests.workers.stage import ONE, Stage, eventually

pytestmark = pytest.mark.servers

FROZEN = "frozen"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


async def looked(watch: EndpointWatch, clock: Clock, seconds: float) -> dict[str, int]:
    """Look before and after some time; return what stands still then."""
    await watch.look()
    clock.s += seconds
    await watch.look()
    return watch.stalled


async def project(stage: Stage) -> None:
    """Bring the read models up to date."""
    system = stage.system
    projector = Projector(PROJECTIONS, system.log, system.read_store, system.wakeups.listener())
    while await projector.step():
        pass
    await projector.release()


async def moved(stage: Stage, webhook_id: UUID) -> bool:
    """Return whether a worker has written that it examined every event."""
    head = await stage.system.log.organization_head(ACME)
    return (await stage.endpoint(webhook_id)).fan == head


async def held_by_another(stage: Stage, fails: int) -> int:
    """Return how many endpoints a worker that does nothing has claimed by now."""
    store = stage.system.operations
    for each in await store.claim(FROZEN, 600, await store.endpoints("", 100)):
        await store.write(each, Changes(fields={"fails": fails}))
    return [each.owner for each in await store.endpoints("", 100)].count(FROZEN)


async def left_alone(stage: Stage, count: int = 1, *, fails: int = 0) -> list[str]:
    """Have webhooks whose worker holds their leases and does nothing while events happen."""
    webhooks = [await stage.webhook("http://127.0.0.1:1/hook") for _ in range(count)]
    async with stage.delivering():
        for webhook_id in webhooks:
            await eventually(partial(moved, stage, webhook_id))
    await eventually(partial(held_by_another, stage, fails), count)
    await stage.happen(ONE, ONE, ONE)
    return [str(webhook_id) for webhook_id in webhooks]


async def test_an_endpoint_that_stands_still_is_named_with_what_waits_for_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    watch = EndpointWatch(stage.system, now=clock)
    [name] = await left_alone(stage)
    [endpoint] = await stage.system.operations.endpoints("", 10)

    assert await looked(watch, clock, 29) == {}
    with caplog.at_level(logging.ERROR):
        stalled = await looked(watch, clock, 2)

    head = await stage.system.log.organization_head(ACME)
    assert stalled == {name: head - endpoint.fan}
    assert name in watch.state()
    assert [record.getMessage() for record in caplog.records] == [f"webhook {name} stalled"]


async def test_an_endpoint_whose_receiver_fails_has_a_reason_to_stand_still(stage: Stage) -> None:
    clock = Clock()
    watch = EndpointWatch(stage.system, now=clock)
    await left_alone(stage, fails=3)

    assert await looked(watch, clock, 60) == {}


async def test_a_paused_endpoint_has_a_reason_to_stand_still(stage: Stage) -> None:
    clock = Clock()
    watch = EndpointWatch(stage.system, now=clock)
    [name] = await left_alone(stage)
    await stage.change(UUID(name), WebhookPaused(cause=PauseCause.MANUAL))

    assert await looked(watch, clock, 60) == {}


async def test_whatever_is_written_counts_as_moving(stage: Stage) -> None:
    clock = Clock()
    watch = EndpointWatch(stage.system, now=clock)
    await left_alone(stage)
    await watch.look()
    clock.s += 20
    [endpoint] = await stage.system.operations.endpoints("", 10)
    await stage.system.operations.write(endpoint, Changes(fields={"last": 1}))
    await watch.look()

    assert await looked(watch, clock, 20) == {}
    assert await looked(watch, clock, 20) != {}


async def test_of_many_endpoints_each_has_its_turn(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.health.endpoint_watch.PAGE", 2)
    clock = Clock()
    watch = EndpointWatch(stage.system, now=clock)
    names = await left_alone(stage, 5)
    for _ in range(3):
        await watch.look()
    clock.s += 31
    for _ in range(3):
        await watch.look()

    assert sorted(watch.stalled) == sorted(names)


async def test_a_webhook_that_no_worker_ever_served_is_named_until_one_does(stage: Stage) -> None:
    clock = Clock()
    watch = EndpointWatch(stage.system, now=clock)
    quiet = await stage.webhook("http://127.0.0.1:1/hook")
    await stage.change(quiet, WebhookPaused(cause=PauseCause.MANUAL))
    started = await stage.system.log.organization_head(ACME)
    webhook_id = await stage.webhook("http://127.0.0.1:1/hook", from_seq=started)
    await stage.happen(ONE, ONE)
    await project(stage)

    assert await looked(watch, clock, 29) == {}
    stalled = await looked(watch, clock, 2)

    head = await stage.system.log.organization_head(ACME)
    assert stalled == {str(webhook_id): head - started}

    async with stage.delivering():
        await eventually(partial(moved, stage, webhook_id))
        assert await looked(watch, clock, 0) == {}


async def test_a_webhook_that_was_paused_while_it_stood_still_is_no_longer_named(
    stage: Stage,
) -> None:
    clock = Clock()
    watch = EndpointWatch(stage.system, now=clock)
    webhook_id = await stage.webhook("http://127.0.0.1:1/hook")
    await project(stage)
    assert await looked(watch, clock, 31) != {}

    await stage.change(webhook_id, WebhookPaused(cause=PauseCause.MANUAL))
    await project(stage)

    assert await looked(watch, clock, 0) == {}
