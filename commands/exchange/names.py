"""What the names in lines of a file stand for: tasks, people and labels, found by their claims."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from uuid import UUID

from msgspec import UNSET

from commands.base import Context
from commands.claims.exchange import external_id_claim
from commands.claims.planning import CYCLES, MILESTONES
from commands.exchange.task_line import TaskLine
from commands.happening import Fingerprint
from commands.label_claims import label_name_claim
from commands.reads import AheadReads
from commands.reservations import email_claim
from commands.work.task_plan import Planned
from domain.base import CycleId, LabelId, MilestoneId, NotFound, OrgId, ProjectId, TaskId, UserId
from domain.identity.organization.state import Organization
from domain.name import folded
from domain.work.task.imported import UnknownCycle, UnknownMilestone, UnknownPerson
from domain.work.task.state import Task
from eventstore.claim import ClaimKey
from security.mail_address import canonical_address


class Names:
    """The claims on the names of some lines, with who held them when the decision looked."""

    def __init__(self, org_id: OrgId, project_id: ProjectId, fingerprint: Fingerprint) -> None:
        self._org_id, self._project_id, self._fingerprint = org_id, project_id, fingerprint
        self._held: Mapping[ClaimKey, UUID] = {}
        self._people: dict[str, ClaimKey] = {}
        self._labels: dict[str, tuple[ClaimKey, ClaimKey]] = {}

    async def look_up(self, read: AheadReads, lines: Iterable[TaskLine]) -> None:
        """Look up every name in *lines*, with one query."""
        wanted: dict[ClaimKey, None] = {}
        for line in lines:
            wanted[self._external(line.id)] = None
            if line.parent is not None:
                wanted[self._external(line.parent)] = None
            for person in (*line.assignees, *line.mentions):
                wanted[self._email(person)] = None
            for label in line.labels:
                wanted.update(dict.fromkeys(self._label(label)))
            wanted.update(dict.fromkeys(self._plan(line)))
        self._held = await read.holders(list(wanted))

    async def look_up_some(
        self, read: AheadReads, tasks: Iterable[str], people: Iterable[str]
    ) -> None:
        """Look up external ids of tasks, and people, with one query."""
        wanted = dict.fromkeys([*map(self._external, tasks), *map(self._email, people)])
        self._held = await read.holders(list(wanted))

    async def task_here(
        self, read: AheadReads, external_id: str, ahead: Mapping[str, TaskId]
    ) -> TaskId | None:
        """Return the task as ``task`` does, or as it is *ahead*; None if it is elsewhere by now."""
        found = ahead.get(external_id) or await self.task(read, external_id)
        if found is None or (await read(Task, found)).project_id != self._project_id:
            return None
        return found

    async def members(
        self, read: AheadReads, context: Context, people: Iterable[str]
    ) -> tuple[UserId, ...]:
        """Return those of *people* who are members, each once."""
        found: dict[UserId, None] = {}
        for named in people:
            with suppress(UnknownPerson):
                found[await self.person(read, context, named)] = None
        return tuple(found)

    async def task(self, read: AheadReads, external_id: str) -> TaskId | None:
        """Return the task that was imported as *external_id*, or whose own id that is."""
        held = self._held.get(self._external(external_id))
        if held is not None:
            return TaskId(held)
        own = uuid_in(external_id)
        if own is None:
            return None
        try:
            task = await read(Task, own)
        except NotFound:
            return None
        return TaskId(own) if task.project_id == self._project_id else None

    async def person(self, read: AheadReads, context: Context, named: str) -> UserId:
        """Return the member whose address, or id, is *named*.

        :raises UnknownPerson: there is none; whether somebody else has it is not told.
        """
        held = self._held.get(self._email(named)) or uuid_in(named)
        organization = await read(Organization, context.organization)
        if held is None or organization.role_of(UserId(held)) is None:
            raise UnknownPerson(person=named)
        return UserId(held)

    def label(self, name: str) -> LabelId | None:
        """Return the label of the project or, without one, of the organization with this name."""
        for claim in self._label(name):
            if claim in self._held:
                return LabelId(self._held[claim])
        return None

    def plan(self, line: TaskLine) -> Planned:
        """Return the cycle and the milestone of the project that *line* names.

        :raises UnknownCycle: it has no such cycle.
        :raises UnknownMilestone: it has no such milestone.
        """
        held = self._held
        if line.cycle is not None and self._cycle(line.cycle) not in held:
            raise UnknownCycle(cycle=line.cycle)
        if line.milestone is not None and self._milestone(line.milestone) not in held:
            raise UnknownMilestone(milestone=line.milestone)
        return Planned(
            cycle_id=UNSET if line.cycle is None else CycleId(held[self._cycle(line.cycle)]),
            milestone_id=UNSET
            if line.milestone is None
            else MilestoneId(held[self._milestone(line.milestone)]),
        )

    def _plan(self, line: TaskLine) -> list[ClaimKey]:
        found = [] if line.cycle is None else [self._cycle(line.cycle)]
        return found if line.milestone is None else [*found, self._milestone(line.milestone)]

    def _cycle(self, name: str) -> ClaimKey:
        return CYCLES.claim(self._fingerprint, self._org_id, self._project_id, name)

    def _milestone(self, name: str) -> ClaimKey:
        return MILESTONES.claim(self._fingerprint, self._org_id, self._project_id, name)

    def _external(self, external_id: str) -> ClaimKey:
        return external_id_claim(self._fingerprint, self._org_id, self._project_id, external_id)

    def _email(self, person: str) -> ClaimKey:
        """Return the claim on an address; the same people are in many lines, so once for each."""
        known = self._people.get(person)
        if known is None:
            known = email_claim(self._fingerprint, canonical_address(person))
            self._people[person] = known
        return known

    def _label(self, name: str) -> tuple[ClaimKey, ClaimKey]:
        known = self._labels.get(name)
        if known is None:
            known = self._labels[name] = self._label_claims(name)
        return known

    def _label_claims(self, name: str) -> tuple[ClaimKey, ClaimKey]:
        of_project, of_all = (
            label_name_claim(self._fingerprint, self._org_id, project_id, folded(name))
            for project_id in (self._project_id, None)
        )
        return of_project, of_all


def uuid_in(text: str) -> UUID | None:
    """Return the UUID that *text* is in canonical form, or None."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None
