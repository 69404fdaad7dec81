"""What of a template tasks can get: asked when it is written, and again when it is used."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from commands.base import Context
from commands.claims.names import part_in_trash
from commands.claims.planning import option_retired
from commands.label_claims import in_trash
from commands.reads import Reads
from commands.sight import refuse_unless_concerned
from domain.base import DomainError, LabelId, NotFound, ProjectId, UserId
from domain.identity.organization.state import Organization
from domain.planning.accepting import field_texts, is_not_offered
from domain.planning.cycle import Cycle
from domain.planning.field import CHOOSING, Field, FieldNotInUse, stream_of_field
from domain.planning.milestone import Milestone
from domain.planning.template.values import StartingValues
from domain.work.label import Label
from domain.work.project.state import Project
from domain.work.task.custom_field import FieldInput, FieldType, UnknownField
from eventstore.claim import CountKey


class Misfit(NamedTuple):
    """A value that a task cannot get: of which field, and why."""

    field: str
    value: object
    refused: DomainError


class Fitting:
    """Asks of values, each once, whether tasks of a project or, without one, of any can get them.

    What is in the trash is counted. The append checks those counts for what a task gets, and a
    command that it refuses is decided again if they have changed.
    """

    def __init__(
        self, read: Reads, context: Context, project_id: ProjectId | None, project: Project
    ) -> None:
        self._read, self._context = read, context
        self._project_id, self._project = project_id, project
        self._asked: dict[tuple[str, object], DomainError | None] = {}
        self._counts: dict[CountKey, int] = {}

    async def look_up(self, every: Iterable[StartingValues]) -> None:
        """Look up at once what of these values is in the trash."""
        org_id, wanted = self._context.organization, dict[CountKey, None]()
        for values in every:
            wanted.update((in_trash(org_id, each), None) for each in values.labels)
            parts = (values.cycle_id, values.milestone_id)
            wanted.update((part_in_trash(org_id, each), None) for each in parts if each)
        if wanted:
            self._counts |= await self._read.noted(list(wanted))

    async def fit(self, values: StartingValues, misfits: list[Misfit]) -> StartingValues:
        """Return those of *values* that tasks can get, and add the others to *misfits*."""
        kept: dict[str, object] = {}
        for name in ("status", "cycle_id", "milestone_id"):
            value = getattr(values, name)
            if value is not None and not await self._fits(name, value, misfits):
                kept[name] = None
        for name in ("labels", "assignees"):
            several: Sequence[UUID] = getattr(values, name)
            kept[name] = tuple([one for one in several if await self._fits(name, one, misfits)])
        return replace(values, **kept)

    async def fit_fields(
        self, values: Mapping[str, FieldInput], misfits: list[Misfit]
    ) -> dict[str, FieldInput]:
        """Return those values of custom fields that tasks can get, as ``fit`` does."""
        found: dict[str, FieldInput] = {}
        for key, value in values.items():
            try:
                await self._refuse_unless_accepted(key, value)
            except DomainError as refused:
                misfits.append(Misfit(f"fields.{key}", value, refused))
            else:
                found[key] = value
        return found

    async def _fits(self, name: str, value: object, misfits: list[Misfit]) -> bool:
        asked = (name, value)
        if asked not in self._asked:
            self._asked[asked] = await self._refusal(name, value)
        refused = self._asked[asked]
        if refused is not None:
            misfits.append(Misfit(name, value, refused))
        return refused is None

    async def _refusal(self, name: str, value: object) -> DomainError | None:
        try:
            match name, value:
                case "status", str():
                    self._refuse_unless_known(value)
                case "labels", UUID():
                    await self._refuse_unless_usable(LabelId(value))
                case "assignees", UUID():
                    await self._refuse_unless_concerned(UserId(value))
                case "cycle_id", UUID():
                    cycle = await self._read.settled(Cycle, value)
                    self._refuse_unless_ours(cycle, cycle_id=value)
                case _, UUID():
                    milestone = await self._read.settled(Milestone, value)
                    self._refuse_unless_ours(milestone, milestone_id=value)
                case _:
                    raise AssertionError(name)
        except DomainError as refused:
            return refused
        return None

    def _refuse_unless_known(self, status: str) -> None:
        if self._project_id is not None:
            self._project.workflow.status(status)

    async def _refuse_unless_usable(self, label_id: LabelId) -> None:
        label = await self._read.settled(Label, label_id)
        gone = self._counts[in_trash(self._context.organization, label_id)]
        if gone or not label.created or label.project_id not in (None, self._project_id):
            raise NotFound(label_id=label_id)

    async def _refuse_unless_concerned(self, user_id: UserId) -> None:
        if self._project_id is not None:
            await refuse_unless_concerned(self._read, self._context, self._project, user_id)
            return
        organization = await self._read(Organization, self._context.organization)
        if organization.role_of(user_id) is None:
            raise NotFound(user_id=user_id)

    def _refuse_unless_ours(self, part: Cycle | Milestone, **named: UUID) -> None:
        [part_id] = named.values()
        gone = self._counts[part_in_trash(self._context.organization, part_id)]
        if gone or part.project_id is None or part.project_id != self._project_id:
            raise NotFound(**named)

    async def _refuse_unless_accepted(self, key: str, value: FieldInput) -> None:
        if self._project_id is None:
            raise UnknownField(key=key)
        stream, org_id = stream_of_field(self._project_id, key), self._context.organization
        field = await self._read.settled(Field, stream)
        if field.created_at is None or is_not_offered(field, value):
            field = await self._read(Field, stream)  # what is in memory may be old
        texts = field_texts(field, key, value)
        gone = [part_in_trash(org_id, stream)]
        if field.kind in CHOOSING:
            gone += [option_retired(org_id, stream, each) for each in texts]
        if any((await self._read.noted(gone)).values()):
            raise FieldNotInUse(key=key)
        if field.kind is FieldType.USER:
            for text in texts:
                await self._refuse_unless_concerned(UserId(UUID(text)))
