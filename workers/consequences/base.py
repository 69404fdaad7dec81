"""A follower of the log that runs commands because of what it finds there.

Each command names the event that caused it. Acting twice changes nothing, so that several workers,
or a log that was set back, do no harm.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence

import msgspec

from commands.base import Command, Context
from domain.base import DomainError, Event, OrgId
from domain.catalog import tag_of
from eventstore.append import ConcurrencyConflict
from eventstore.operations.crew import Owns
from eventstore.recorded import Actor, ActorKind, Recorded, Row, is_copy
from files.store import FilesUnavailable
from projections.catalog import PROJECTIONS
from projections.engine.find import ReadModels
from projections.engine.progress import Progress
from projections.engine.store import Rebuilding
from runtime.log_reader import LogReader
from runtime.outages import StoreOutage
from runtime.system import System

READ_AT_ONCE = 100
"""Items of a list that is read page by page."""

_SWEEP_S = 1.0
_PROJECTED_S = 5.0
_logger = logging.getLogger(__name__)


class Consequences(ABC):
    """Acts on every event of some kinds, once it is in the read models that tell what follows."""

    def __init__(
        self,
        system: System,
        name: str,
        causes: Sequence[type[Event]],
        progress: Progress | None,
        owns: Owns,
    ) -> None:
        """*owns* says of which partitions this process follows the events."""
        self.system = system
        self._name = name
        self._reader = LogReader(system, name, tuple(tag_of(cause) for cause in causes), owns)
        self._progress = progress or Progress(system.read_store, system.log, system.wakeups.hurry)
        self.models = ReadModels(system.read_store, self._progress, PROJECTIONS)

    async def run(self) -> None:
        """Act until cancelled."""
        wait = self.system.wakeups.listener()
        while True:
            try:
                await self.act()
            except (*StoreOutage, Rebuilding, ConcurrencyConflict, FilesUnavailable) as error:
                _logger.warning("what follows from %s waits: %s", self._name, error)
                self._reader.doubt()
                await asyncio.sleep(_SWEEP_S)
            await wait(_SWEEP_S)

    async def act(self) -> None:
        """Act on everything that happened since the last time.

        :raises ReadStoreUnavailable: a list cannot be read; nothing is forgotten.
        :raises LogUnavailable: nothing can be recorded.
        """
        async for found in self._reader.new():
            for row in found.rows:
                await self._act_on(row, found.part)
            await self.system.operations.keep_mails(found.end, [])

    async def _act_on(self, row: Row, part: int) -> None:
        try:
            [cause] = await self.system.log.decoded([row])
        except (msgspec.MsgspecError, KeyError):
            _logger.error("event %d of partition %d cannot be read", row.position, part)  # noqa: TRY400 - its trace says nothing more
            return
        if not is_copy(row):  # else it followed in the organization that it was copied from
            await self.follow(cause, row, part)

    @abstractmethod
    async def follow(self, cause: Recorded, row: Row, part: int) -> None:
        """Run every command that follows from *cause*, which is *row* of partition *part*."""

    async def until_projected(self, model: str, row: Row, part: int) -> None:
        """Wait until a read model knows *row*.

        :raises Rebuilding: it does not know it in time.
        """
        if not await self._progress.reached(model, row.position, _PROJECTED_S, part):
            raise Rebuilding(0.0)

    async def follow_up(
        self, command: Command, cause: Recorded, org_id: OrgId | None = None
    ) -> None:
        """Run *command* as the system because *cause* happened; a refusal means it is not needed.

        It runs in the organization of the cause, unless it is for another one.

        :raises LogUnavailable: nothing can be recorded.
        """
        context = Context(
            actor=Actor(ActorKind.SYSTEM, org_id or cause.org_id),
            now=self.system.clock(),
            org_id=org_id or cause.org_id,
            correlation_id=cause.metadata.correlation,
            causation_id=cause.id,
        )
        try:
            await self.system.commands.handle(command, context)
        except DomainError as refused:
            _logger.info("%s is not needed: %s", type(command).__name__, refused)
