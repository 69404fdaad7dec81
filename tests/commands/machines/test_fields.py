"""Any sequence of commands on custom fields, and on the values in them, beside the model."""

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, rule
from msgspec import Struct

from commands.claims.planning import option_retired
from commands.plan_counts import counted_of, fields_in
from commands.planning.field import CreateField, DeleteField, EditField, RestoreField
from commands.work.task import EditTask
from commands.work.trash.purge import PurgeContents
from commands.work.trash.things import Thing
from domain.base import ERASED, FieldId, ProjectId, TaskId, UserId
from domain.identity.plan import PLAN_LIMITS, Countable
from domain.permission import Permission
from domain.planning.field import CHOOSING, Option, stream_of_field
from domain.work.task.custom_field import FieldInput, FieldType, shown_values
from domain.work.trash import TrashKind
from projections.planning.field import Fields
from projections.work.task import Tasks
from tests.commands.machines.patience import examples
from tests.commands.machines.world import NONE, PEOPLE
from tests.commands.test_machine_of_tasks import Board
from tests.domain.spec import ACME, ANA
from tests.projections.spec import shown

KEYS = st.sampled_from(["size", "note", "area"])
NAMES = st.sampled_from(["Size", "SIZE", "Note", "Area"])
KNOWN_BY = st.tuples(KEYS, NAMES)
KINDS = st.sampled_from(
    [FieldType.TEXT, FieldType.NUMBER, FieldType.SELECT, FieldType.MULTI_SELECT]
)
OPTIONS = st.lists(st.sampled_from(["s", "m", "l"]), unique=True)
VALUES: st.SearchStrategy[FieldInput | None] = st.sampled_from(
    [None, "s", "m", "big", 3.0, 2.5, ("s",), ("m", "s"), ("l", "big"), ()]
)


class Defined(Struct):
    """What the model knows of a custom field."""

    project: ProjectId
    key: str
    name: str
    kind: FieldType
    offered: list[str]
    retired: list[str]
    deleted: bool = False
    purged: bool = False

    @property
    def here(self) -> bool:
        return not (self.deleted or self.purged)

    def takes(self, value: FieldInput) -> bool:
        """Return whether *value* is one of this field, be it offered or not."""
        options = {*self.offered, *self.retired}
        match self.kind:
            case FieldType.TEXT:
                return isinstance(value, str)
            case FieldType.NUMBER:
                return isinstance(value, float)
            case FieldType.SELECT:
                return isinstance(value, str) and value in options
            case _:
                return isinstance(value, tuple) and {*value} <= options

    def offers(self, value: FieldInput) -> bool:
        if self.kind not in CHOOSING:
            return self.here
        return self.here and {*chosen(value)} <= {*self.offered}


def chosen(value: FieldInput) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)


def told(value: FieldInput | None) -> Any:
    """Return a value as a task shows it; no options are no value."""
    return sorted(value) if isinstance(value, tuple) else value


class Filling(Board):
    """The company, whose projects have custom fields."""

    projects, tasks = Board.projects, Board.tasks
    fields: Bundle[FieldId] = Bundle("fields")

    def __init__(self) -> None:
        super().__init__()
        self.defined: dict[FieldId, Defined] = {}
        self.values: dict[TaskId, dict[str, Any]] = {}

    @initialize(target=projects)
    def begin_with_a_project(self) -> Any:
        return self.create_project(by=ANA, key="FIRST")

    def may_plan(self, by: UserId, project: ProjectId) -> bool:
        return self.may(by, Permission.PROJECT_WORKFLOW, project) and self.editable(project)

    def is_free(self, project: ProjectId, name: str, field: FieldId | None = None) -> bool:
        return not any(
            one.here and each != field and one.project == project and one.name.lower() == name
            for each, one in self.defined.items()
        )

    def count_in(self, project: ProjectId) -> int:
        """Return how many a project counts; also what went with it for good, when nobody asks."""
        return sum(not one.deleted and one.project == project for one in self.defined.values())

    @property
    def used(self) -> int:
        """The custom fields that count: those of deleted projects do not."""
        return sum(self.count_in(each) for each in self.statuses if each not in self.trash)

    def fit(self, more: int) -> bool:
        """Return whether the plan has room for *more* custom fields."""
        limit = PLAN_LIMITS[self.plan].custom_fields
        return more == 0 or limit is None or self.used + more <= limit

    def fits_back(self, project: ProjectId) -> bool:
        return self.fit(self.count_in(project))

    # Fields -----------------------------------------------------------------

    @rule(target=fields, project=projects, by=PEOPLE, known_by=KNOWN_BY, kind=KINDS, of=OPTIONS)
    def create_field(
        self,
        project: ProjectId,
        by: UserId,
        known_by: tuple[str, str],
        kind: FieldType,
        of: list[str],
    ) -> Any:
        key, name = known_by
        field, options = stream_of_field(project, key), tuple(Option(each, each) for each in of)
        command = CreateField(project_id=project, key=key, name=name, kind=kind, options=options)
        right = self.may_plan(by, project) and field not in self.defined
        right = right and self.is_free(project, name.lower()) and self.fit(1)
        if not self.passes(command, by, right and (kind in CHOOSING) is bool(of)):
            return NONE
        self.defined[field] = Defined(project, key, name, kind, of, [])
        return field

    @rule(field=fields, by=PEOPLE, name=NAMES)
    def rename_field(self, field: FieldId, by: UserId, name: str) -> None:
        known = self.defined[field]
        right = self.may_plan(by, known.project) and known.here
        right = right and self.is_free(known.project, name.lower(), field)
        if self.passes(EditField(field_id=field, name=name), by, right):
            known.name = name

    @rule(field=fields, by=PEOPLE, of=OPTIONS)
    def offer(self, field: FieldId, by: UserId, of: list[str]) -> None:
        known, options = self.defined[field], tuple(Option(each, each) for each in of)
        right = self.may_plan(by, known.project) and known.here
        right = right and (known.kind in CHOOSING) is bool(of)
        if self.passes(EditField(field_id=field, options=options), by, right):
            every = [*known.offered, *known.retired]
            known.offered, known.retired = of, [each for each in every if each not in of]

    @rule(field=fields, by=PEOPLE, repeats=st.sampled_from([False, False, True]))
    def delete_or_restore_field(self, field: FieldId, by: UserId, repeats: bool) -> None:
        known = self.defined[field]
        back = known.deleted is not repeats
        right = self.may_plan(by, known.project) and not known.purged
        right = right and (known.deleted or not back or known.here)
        if back and known.deleted:
            right = right and self.fit(1) and self.is_free(known.project, known.name.lower())
        if not back:
            right = right and not known.deleted
        kind = RestoreField if back else DeleteField
        if self.passes(kind(field_id=field), by, right):
            known.deleted = not back

    # What is purged ---------------------------------------------------------

    def is_trashed(self, thing: Thing) -> bool:
        known = self.defined.get(FieldId(thing.id))
        return super().is_trashed(thing) if known is None else known.deleted

    @rule(field=fields, by=PEOPLE)
    def purge_field(self, field: FieldId, by: UserId) -> None:
        if self.purges(Thing(TrashKind.FIELD, field), by):
            self.defined[field].purged = True

    @rule(project=projects)
    def purge_fields_of_project(self, project: ProjectId) -> None:
        things = tuple(Thing(TrashKind.FIELD, each) for each in self.defined)
        command = PurgeContents(within=Thing(TrashKind.PROJECT, project), things=things)
        if self.passes(command, ANA, project in self.purged):
            for each, known in self.defined.items():
                if known.project == project:
                    known.purged = True
                    self.purged.add(each)

    # Values -----------------------------------------------------------------

    @rule(task=tasks, by=PEOPLE, key=KEYS, value=VALUES)
    def fill(self, task: TaskId, by: UserId, key: str, value: FieldInput | None) -> None:
        piece, values = self.pieces[task], self.values.setdefault(task, {})
        known = self.defined.get(stream_of_field(piece.project, key))
        right = self.may(by, Permission.TASK_EDIT, piece.project) and self.shown(task)
        right = right and self.editable(piece.project) and known is not None
        if known is not None and value is not None:
            same = not told(value) if key not in values else values[key] == told(value)
            right = right and known.takes(value) and (same or value == () or known.offers(value))
        if self.passes(EditTask(task_id=task, fields={key: value}), by, right):
            values.pop(key, None)
            if value is not None and value != ():
                values[key] = told(value)

    def settle(self, task: TaskId, project: ProjectId) -> None:
        super().settle(task, project)
        self.values.pop(task, None)

    # What must hold ---------------------------------------------------------

    @invariant()
    def fields_and_retired_options_are_counted(self) -> None:
        expected = {counted_of(ACME, Countable.CUSTOM_FIELDS): self.used}
        for project in self.statuses:
            expected[fields_in(ACME, project)] = self.count_in(project)
        for field, known in self.defined.items():
            for option in (*known.offered, *known.retired):
                expected[option_retired(ACME, field, option)] = int(option in known.retired)
        assert self.run(self.log.counted(*expected)) == list(expected.values())

    @invariant()
    def replaying_the_log_gives_fields_and_values(self) -> None:
        for field, known in self.defined.items():
            found = self.replayed(field)
            assert (found.kind, found.deleted, found.purged) == (
                known.kind,
                not known.here,
                known.purged,
            )
            assert found.name == (ERASED if known.purged else known.name)
            assert (found.options, found.offered) == (
                (*known.offered, *known.retired),
                {*known.offered},
            )
        for task in self.pieces.keys() - self.purged:
            assert shown_values(self.replayed(task).fields) == self.values.get(task, {})

    async def check_the_end(self) -> None:
        await super().check_the_end()
        events = await self.log.tail(0, 10_000)
        listed = shown(Fields(), *(e for e in events if e.tag in Fields.tags))
        assert len(listed) == len(self.defined)
        for field, known in self.defined.items():
            document = listed[f"{ACME}:{field}"]
            view = msgspec.json.decode(document.json)
            assert document.deleted is not known.here
            options = {one["key"]: one["retired"] for one in view["options"]}
            assert options == {each: each in known.retired for each in options}
            assert [*options] == [*known.offered, *known.retired]
        tasks = shown(Tasks(), *(e for e in events if e.tag in Tasks.tags))
        for task in self.pieces.keys() - self.purged:
            view = msgspec.json.decode(tasks[f"{ACME}:{task}"].json)
            assert view["fields"] == self.values.get(task, {})


Filling.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=40)
TestFilling = Filling.TestCase
