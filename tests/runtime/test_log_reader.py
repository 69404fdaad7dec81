"""Readers of the log that share its partitions find every event, and go on where others stopped."""

from pathlib import Path

from domain.work.project.events import ProjectRenamed
from eventstore.operations.crew import Owns
from runtime.log_reader import LogReader
from runtime.system import System, open_system
from tests.domain.spec import ACME, OTHER
from tests.spec import on, record
from tests.workers.stage import ONE, TWO, settings_in

TAGS = ("project.renamed",)


async def found_by(system: System, reader: LogReader) -> list[tuple[int, int]]:
    """Return partition and position of what *reader* finds, and keep how far it came."""
    found: list[tuple[int, int]] = []
    async for some in reader.new():
        found += [(some.part, row.position) for row in some.rows]
        await system.operations.keep_mails(some.end, [])
    return found


async def test_readers_share_the_partitions_and_take_over_at_the_stored_cursor(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'events.db'}?partitions=8"
    async with open_system(settings_in(tmp_path, EVENTS_URL=url)) as system:
        ours, theirs = system.log.part(ACME), system.log.part(OTHER)
        assert ours != theirs
        owned = {"one": {ours}, "two": {theirs}}

        def reader(name: str) -> LogReader:
            return LogReader(system, "renamed", TAGS, _owner(owned, name))

        async def happen() -> None:
            await record(system.log, on(ONE, ProjectRenamed(from_="A", to="C"), org_id=ACME))
            await record(system.log, on(TWO, ProjectRenamed(from_="B", to="C"), org_id=OTHER))

        one, two = reader("one"), reader("two")
        await happen()
        assert await found_by(system, one) == [(ours, 1)]
        assert await found_by(system, two) == [(theirs, 1)]

        await happen()
        assert await found_by(system, two) == [(theirs, 2)]
        owned["one"], owned["two"] = {ours, theirs}, set()
        await happen()

        assert await found_by(system, two) == []
        assert sorted(await found_by(system, one)) == sorted([(ours, 2), (ours, 3), (theirs, 3)])


def _owner(owned: dict[str, set[int]], name: str) -> Owns:
    """Return what *name* owns, as it is when it is asked."""

    def owns(part: int) -> bool:
        return part in owned[name]

    return owns
