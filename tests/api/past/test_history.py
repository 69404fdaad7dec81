"""The state as of each sequence is what GET answered when that was the newest."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from litestar import Litestar

from domain.identity.organization.membership import Role
from runtime.system import System
from tests.api.past.history import STEPS, History, Snapshot, Step, past_of, shown_to
from tests.api.stage import join, sign_up

_ASKED = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def was_in_trash(shown: Any) -> bool:
    """Return whether a thing is shown as what was in the trash then, or is a board."""
    return shown is not None and ("columns" in shown or shown["deletedAt"] is not None)


async def check_moment(history: History, snapshot: Snapshot, moment: int | str) -> None:
    """Check that a moment is shown to an ADMIN as it was."""
    person = history.ana
    for path in history.paths():
        if path not in snapshot.shown:  # it did not exist yet
            assert await past_of(person, path, moment) is None, (path, moment)
    for path, known in snapshot.shown.items():
        found = await past_of(person, path, moment)
        if known is None:  # what was in the trash had a past as well
            assert found is None or was_in_trash(found), (path, moment)
        else:
            assert found == known, (path, moment)


async def had_history(app: Litestar, system: System, steps: list[Step]) -> History:
    """Return what became of an organization with these steps."""
    ana, ben = await sign_up(app), await sign_up(app)
    await join(system, ben, ana.org_id, Role.MEMBER)
    history = History(system, ana, ben)
    await history.begin()
    for step in steps:
        await history.step(step)
    return history


class TestHistory:
    @_ASKED
    @given(STEPS)
    async def test_a_moment_is_shown_as_it_was(
        self, app: Litestar, system: System, steps: list[Step]
    ) -> None:
        history = await had_history(app, system, steps)

        for snapshot in history.snapshots:
            await check_moment(history, snapshot, snapshot.seq)
        for snapshot in history.snapshots[::3]:
            path = f"/org/{history.ana.org_id}?as_of={snapshot.seq}"
            at = (await history.ana.get(path)).json()["asOf"]["at"]
            await check_moment(history, snapshot, at)

    @_ASKED
    @given(STEPS)
    async def test_the_newest_moment_shows_a_member_what_get_does(
        self, app: Litestar, system: System, steps: list[Step]
    ) -> None:
        history = await had_history(app, system, steps)
        ben, last = history.ben, history.snapshots[-1].seq
        if (await ben.get("/auth/profile")).json()["organizationId"] != history.ana.org_id:
            return  # they have no access any more
        if (await ben.get(f"/org/{ben.org_id}/members")).status_code == 403:
            return

        for path in history.paths():
            known, found = await shown_to(ben, path), await past_of(ben, path, last)
            if known is None:  # a MEMBER sees nothing of others in the trash, ADMINs everything
                assert found is None or was_in_trash(found), path
            else:
                assert found == known, path
