"""One fork of an organization, from its beginning to its end."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from cli.failure import CommandFailed
from commands.base import Command, Context
from commands.claims.recurrence import due_claim
from commands.fork.abandon import AbandonFork
from commands.fork.beginning import end_of_append, organization_at, where_to_begin
from commands.fork.copying import ForkCopy
from commands.fork.finish import (
    ForkOrganization,
    ReadInboxesOfFork,
    active_accounts,
    in_pieces,
)
from commands.fork.new_ids import NewIds
from commands.fork.progress import ForkProgress
from commands.fork.survey import Survey
from commands.past.moment import LogTimes
from domain.base import PLATFORM, OrgId, UserId
from domain.identity.organization.forked import OrganizationForked
from domain.identity.organization.state import Organization
from domain.work.attachment import Attachment
from domain.work.task.state import Task
from eventstore.backup.writing import Watch
from eventstore.claim import ClaimChange
from eventstore.recorded import Actor, ActorKind, recorded_time
from files.open import open_files
from files.store import FileKey, FileMissing, FileStore
from runtime.system import System


class Fork:
    """One fork, from its beginning to its end."""

    def __init__(self, system: System, org_id: OrgId, subdomain: str) -> None:
        self._system, self._log = system, system.log
        self._org_id, self.subdomain = org_id, subdomain
        self.narrowed = 0
        """How many teams, projects and views are for fewer people than they were."""

    async def begin(self, at: str) -> None:
        """Find out what is copied, and whether some of it is copied already."""
        fork, known = await where_to_begin(self._log, self._org_id, self.subdomain)
        head = await self._log.organization_head(self._org_id)
        if known is None:
            seq = await self._seq(at, head) if at else head
            known = ForkProgress(organization=self._org_id, at=seq, subdomain=self.subdomain)
        elif at and await self._seq(at, head) != known.at:
            raise CommandFailed(
                f"a fork {self.subdomain} as of event {known.at} was begun: to go on with it,"
                " leave out --at; to make this one, choose another subdomain",
                2,
            )
        self._was = await organization_at(self._log, self._org_id, known.at)
        if not self._was.created or self._was.deleted:
            raise CommandFailed("there was no such organization, or it was in the trash, then", 2)
        if await self._log.organization_head(fork) != known.copied:
            raise CommandFailed(
                "the log was set back since this fork was begun: give it up with --abandon"
            )
        self.ids = NewIds(self._org_id, fork)
        self.survey = Survey(self._log, self.ids, known.at)
        self._copy = ForkCopy(self._log, self.survey, known)

    @property
    def at(self) -> int:
        """The sequence number of the last event that is copied."""
        return self._copy.progress.at

    @property
    def copied(self) -> int:
        """How many events are copied."""
        return self._copy.progress.copied

    async def copy(self, watch: Watch) -> None:
        """Copy the events."""
        await self.survey.read()
        while await self.copy_some():
            watch(f"events of {self.at}", self._copy.progress.done)

    async def copy_some(self) -> bool:
        """Copy the next events, once the log was surveyed; return whether there were any.

        :raises ConcurrencyConflict: another run makes the same fork.
        """
        return await self._copy.copy_some()

    async def copy_files(self, watch: Watch) -> int:
        """Copy the files that are still there; return how many."""
        files, count = open_files(self._system.settings), 0
        try:
            for each in self.survey.files:
                count += await self._copy_file(files, each)
                watch("files", count)
        finally:
            await files.close()
        return count

    async def _copy_file(self, files: FileStore, attachment_id: UUID) -> bool:
        states = self._system.commands.states
        source = FileKey(self._org_id, attachment_id)
        target = FileKey(self.ids.fork, self.ids.of(attachment_id))
        attachment = await states.fresh(Attachment, target.file_id, self.ids.fork)
        if attachment.purged:
            return False
        try:
            if await files.size(target) == attachment.size:
                return True
        except FileMissing:
            pass
        try:
            size = await files.size(source)
            await files.put(target, _pieces(files, source, size))
        except FileMissing:
            return False  # purged since
        return True

    async def narrow(self) -> None:
        """Keep from people what the original does not show them any more."""
        self.narrowed += await self._copy.narrow(self._was.members, self._system.clock())

    async def finish(self, name: str) -> None:
        """Make an organization of what was copied."""
        await self.narrow()
        [last] = await self._log.organization(self._org_id, self.at - 1, 1)
        forked = OrganizationForked(
            from_organization=self._org_id,
            at=self.at,
            recorded_at=recorded_time(last.recorded_at),
        )
        command = ForkOrganization(
            organization_id=self.ids.fork,
            name=name or self._was.name,
            subdomain=self.subdomain,
            forked=forked,
            was=self._was,
            accounts=await self._read_by_all(),
            due=await self._due(),
        )
        await self._handle(command)

    async def _read_by_all(self) -> frozenset[UserId]:
        """Mark everything as read by whoever may belong to it; return who has an account."""
        states = self._system.commands.states
        now = await states.fresh(Organization, self._org_id, self._org_id)
        accounts = await active_accounts(states, now.members)
        for some in in_pieces(accounts):
            await self._handle(
                ReadInboxesOfFork(organization_id=self.ids.fork, users=some, copied=self.copied)
            )
        return accounts

    async def _handle(self, command: Command) -> None:
        actor = Actor(ActorKind.SYSTEM, PLATFORM)
        await self._system.commands.handle(command, Context(actor=actor, now=self._system.clock()))

    async def _due(self) -> tuple[ClaimChange, ...]:
        """Return the claims by which the tasks that repeat are found once they are due."""
        found: list[ClaimChange] = []
        for old in self.survey.repeating:
            task_id, fork = self.ids.of(old), self.ids.fork
            task = await self._system.commands.states.fresh(Task, task_id, fork)
            claim = due_claim(fork, task_id, task)
            if claim is not None:
                found.append(ClaimChange(claim, task_id))
        return tuple(found)

    async def _seq(self, at: str, head: int) -> int:
        """Return the sequence number that *at*, a number or a time, stands for."""
        if at.isdecimal():
            if not 1 <= int(at) <= head:
                raise CommandFailed(f"its log has the events 1 to {head}, and no {at}", 2)
            return await end_of_append(self._log, self._org_id, int(at))
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            raise CommandFailed(f"{at} is neither a number nor a time", 2) from None
        if moment.tzinfo is None:
            raise CommandFailed(f"{at} has no time zone: write {at}Z for UTC", 2)
        return await LogTimes(self._log).seq_at(self._org_id, moment)


async def abandon_fork(system: System, org_id: OrgId, subdomain: str) -> ForkProgress | None:
    """Give up a fork that was begun; return how far it came, None if none is unfinished."""
    fork, begun = await where_to_begin(system.log, org_id, subdomain)
    if begun is not None:
        command = AbandonFork(organization_id=fork, original=org_id, at=begun.at)
        actor = Actor(ActorKind.SYSTEM, PLATFORM)
        await system.commands.handle(command, Context(actor=actor, now=system.clock()))
    return begun


async def _pieces(files: FileStore, source: FileKey, size: int) -> AsyncIterator[bytes]:
    async for piece in files.read(source, 0, size):
        yield piece
