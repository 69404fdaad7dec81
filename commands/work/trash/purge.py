"""The commands that purge what is in the trash: its texts go for good, its history stays.

Whoever purges a project or a task purges what is in it, which a worker does after it, in parts. As
nothing of it can be restored from the first event on, it does not matter when that is done.
"""

from typing import ClassVar
from uuid import UUID

from commands.base import Command, Context, Decision
from commands.reads import Reads
from commands.work.trash.things import (
    CONTENTS_PURGED,
    OF_ORGANIZATION_PURGED,
    PURGED,
    Thing,
    Trashable,
    purge,
    read_thing,
)
from domain.base import NotFound
from domain.identity.organization.legal_hold import refuse_if_held
from domain.identity.organization.state import Organization
from domain.identity.plan import PLAN_LIMITS
from domain.permission import Permission
from domain.planning.view import SavedView
from domain.work.project.state import Project
from domain.work.task.state import Task


class PurgeTrashed(Command, frozen=True, kw_only=True):
    """Purge something in the trash at once, with everything in it. Nobody can bring it back."""

    needs: ClassVar[Permission | None] = Permission.TRASH_PURGE
    records = PURGED
    thing: Thing

    @property
    def target(self) -> UUID | None:
        return self.thing.id

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        state = await _read_trashed(read, self.thing)
        if isinstance(state, SavedView) and not state.is_there_for(context.user_id):
            raise NotFound  # a private view is its owner's, in the trash as well
        refuse_if_held((await read(Organization, context.organization)).legal_hold)
        return purge(self.thing, state)


class PurgeExpired(Command, frozen=True, kw_only=True):
    """Purge something that has been in the trash for as long as the plan keeps it."""

    needs: ClassVar[Permission | None] = None
    records = PURGED
    thing: Thing

    @property
    def target(self) -> UUID | None:
        return self.thing.id

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        state = await _read_trashed(read, self.thing)
        organization = await read(Organization, context.organization)
        refuse_if_held(organization.legal_hold)
        # What else happens to a thing in the trash, such as a move of its parent, only delays it.
        deleted_at = read.changed_at(self.thing.id)
        if isinstance(state, Task) and state.deleted_at is not None:
            deleted_at = state.deleted_at
        kept = PLAN_LIMITS[organization.plan].trash_retention
        if deleted_at is None or context.now < deleted_at + kept:
            return []
        return purge(self.thing, state)


class PurgeContents(Command, frozen=True, kw_only=True):
    """Purge some of what is in a task or a project that is purged; what is not in it stays.

    A legal hold stops it, until it is lifted.
    """

    needs: ClassVar[Permission | None] = None
    records = CONTENTS_PURGED
    within: Thing
    things: tuple[Thing, ...]

    @property
    def target(self) -> UUID | None:
        return self.within.id

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        refuse_if_held((await read(Organization, context.organization)).legal_hold)
        around = await read_thing(read, self.within)
        if not isinstance(around, Task | Project) or not around.purged:
            raise NotFound
        purging: list[Decision] = []
        for thing in self.things:
            state = await read_thing(read, thing)
            if not state.purged and self.within.id in _around(state):
                purging.append(purge(thing, state))
        return [part for parts in purging for part in parts]


class PurgeOfOrganization(Command, frozen=True, kw_only=True):
    """Purge some of what is in an organization that is purged, whether it was in the trash or not.

    What is in a project or a task goes with it.
    """

    needs: ClassVar[Permission | None] = None
    records = OF_ORGANIZATION_PURGED
    things: tuple[Thing, ...]

    async def decide(self, read: Reads, context: Context, /) -> Decision:
        if not (await read(Organization, context.organization)).purged:
            raise NotFound
        purging: list[Decision] = []
        for thing in self.things:
            state = await read_thing(read, thing)
            if not state.purged:
                purging.append(purge(thing, state))
        return [part for parts in purging for part in parts]


async def _read_trashed(read: Reads, thing: Thing) -> Trashable:
    """Return the state of a thing in the trash.

    :raises NotFound: it is not there, or purged already.
    """
    state = await read_thing(read, thing)
    if not state.deleted or state.purged:
        raise NotFound
    return state


def _around(state: Trashable) -> tuple[UUID | None, ...]:
    """Return what a thing is in."""
    names = ("project_id", "parent_id", "task_id")
    return tuple(getattr(state, name, None) for name in names)
