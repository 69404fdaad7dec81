"""A fork shows what its original shows, under other ids."""

from commands.lint.walk import lint_log
from runtime.system import System
from tests.api.fork.filled import seen
from tests.api.fork.forks import enter, expected_in, make, without_event_ids
from tests.api.past.moments import seq_now
from tests.api.stage import Person, done


async def test_every_list_is_that_of_the_original(system: System, filled: Person) -> None:
    before = await seen(filled)

    fork = await make(system, filled)

    assert [str(each) async for each in lint_log(system.log)] == []
    await enter(filled, fork)
    after = without_event_ids(await seen(filled))
    expected = without_event_ids(expected_in(fork, before))
    assert after.keys() == expected.keys()
    for path, shown in expected.items():
        assert after[path] == shown, path


async def test_an_earlier_state_is_the_one_of_that_time(system: System, filled: Person) -> None:
    seq, before = await seq_now(system, filled), await seen(filled)
    [task, *_] = done(await filled.get("/task"), 200)["items"]
    done(await filled.patch(f"/task/{task['id']}", {"title": "Spoilt"}), 200)
    [project, *_] = done(await filled.get("/project"), 200)["items"]
    done(await filled.delete(f"/project/{project['id']}"), 204)

    fork = await make(system, filled, str(seq))

    assert [str(each) async for each in lint_log(system.log)] == []
    await enter(filled, fork)
    after = without_event_ids(await seen(filled))
    expected = without_event_ids(expected_in(fork, before))
    for path, shown in expected.items():
        assert after[path] == shown, path
