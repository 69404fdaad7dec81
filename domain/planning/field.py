"""Field: a custom field of the tasks of a project.

Invariants
    1. Its key is unique in its project for ever, also while it is in the trash; its stream is the
       one of that key (``stream_of_field``). Neither its key nor its type changes.
    2. Its name is unique in its project, whatever the case of its letters, while it is not in the
       trash; the append claims it (``commands/planning_claims.py``).
    3. A field of the type select or multi_select has options, at most ``OPTIONS_MAX``. One that is
       no longer offered is retired, not removed: tasks keep it, and get no new one.
    4. A deleted field can only be restored; tasks keep their values meanwhile, and get no new one.
    5. Setting something to the value it has records no event.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple, assert_never, get_args
from uuid import UUID, uuid5

from msgspec import Struct, field
from msgspec.structs import replace

from domain.base import (
    ERASED,
    DomainError,
    Event,
    FieldId,
    NotFound,
    Personal,
    ProjectId,
    Refusal,
    UserId,
)
from domain.work.task.custom_field import FieldType

OPTIONS_MAX = 200
"""Options of one field, with those that are retired."""
CHOOSING = frozenset({FieldType.SELECT, FieldType.MULTI_SELECT})
"""The types of fields that have options."""


def stream_of_field(project_id: UUID, key: str) -> FieldId:
    """Return the id of the field of a project with *key*."""
    return FieldId(uuid5(project_id, f"field {key}"))


# Events ---------------------------------------------------------------------


class OptionRule(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel", gc=False):
    """An option of a field without its name; no task gets one that is `retired`."""

    key: str
    retired: bool = False


class FieldCreated(Event, frozen=True, kw_only=True, omit_defaults=True, tag="field.created"):
    """A custom field was created for the tasks of a project.

    `optionNames` are the names of its options, one a line.
    """

    project_id: ProjectId
    key: str
    name: Personal
    kind: FieldType
    options: tuple[OptionRule, ...] = ()
    option_names: Personal | None = None
    created_by: UserId
    created_at: datetime


class FieldRenamed(Event, frozen=True, kw_only=True, tag="field.renamed"):
    """A custom field was renamed."""

    sets = ("name",)
    project_id: ProjectId
    from_: Personal = field(name="from")
    to: Personal


class FieldOptionsChanged(Event, frozen=True, kw_only=True, tag="field.options_changed"):
    """The options of a custom field changed; `optionNames` are their names, one a line."""

    sets = ("options", "retired", "option_names")
    project_id: ProjectId
    options: tuple[OptionRule, ...]
    option_names: Personal


class FieldDeleted(Event, frozen=True, kw_only=True, tag="field.deleted"):
    """A custom field was moved to the trash, from which it can be restored."""

    sets = ("deleted",)
    project_id: ProjectId


class FieldRestored(Event, frozen=True, kw_only=True, tag="field.restored"):
    """A custom field was restored from the trash, unchanged."""

    sets = ("deleted",)
    project_id: ProjectId


class FieldPurged(Event, frozen=True, kw_only=True, tag="field.purged"):
    """The names of a custom field and of its options are gone for good."""

    sets = ("name", "option_names", "deleted", "purged")
    project_id: ProjectId


FieldEvent = (
    FieldCreated | FieldRenamed | FieldOptionsChanged | FieldDeleted | FieldRestored | FieldPurged
)


# State ----------------------------------------------------------------------


class Option(NamedTuple):
    """An option as people name it."""

    key: str
    name: str


class Field(Struct, frozen=True, kw_only=True, gc=False):
    """What the rules below need to know about a custom field, and what its view shows.

    ``options`` are the keys of its options, in the order of ``option_names``; those that are
    ``retired`` come last.
    """

    platform: ClassVar[bool] = False
    folds: ClassVar[tuple[type[Event], ...]] = get_args(FieldEvent)

    project_id: ProjectId | None = None
    key: str = ""
    name: str = ""
    kind: FieldType = FieldType.TEXT
    options: tuple[str, ...] = ()
    option_names: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    created_by: UserId | None = None
    created_at: datetime | None = None
    deleted: bool = False
    purged: bool = False

    def evolve(self, event: FieldEvent) -> "Field":
        match event:
            case FieldCreated():
                created = Field(
                    project_id=event.project_id,
                    key=event.key,
                    name=event.name,
                    kind=event.kind,
                    created_by=event.created_by,
                    created_at=event.created_at,
                )
                return _with_options(created, event.options, event.option_names or "")
            case FieldRenamed():
                return replace(self, name=event.to)
            case FieldOptionsChanged():
                return _with_options(self, event.options, event.option_names)
            case FieldDeleted():
                return replace(self, deleted=True)
            case FieldRestored():
                return replace(self, deleted=False)
            case FieldPurged():
                gone = replace(self, name=ERASED, option_names=self.options)
                return replace(gone, deleted=True, purged=True)
            case _:
                assert_never(event)

    @property
    def offered(self) -> frozenset[str]:
        """The keys of the options that tasks can get."""
        return frozenset(self.options).difference(self.retired)

    # Decisions: each returns the events to record; an empty list means that nothing changes.

    def create(self, created: FieldCreated) -> list[FieldEvent]:
        """Create the field.

        :raises FieldKeyTaken: the project has one with this key, perhaps in the trash.
        :raises FieldNotValid: it cannot have such options.
        """
        if self.created_at is not None:
            raise FieldKeyTaken(key=created.key)
        named = _names(created.options, created.option_names or "")
        _refuse_unless_valid(created.kind, list(map(Option._make, named.items())), created.options)
        return [created]

    def rename(self, name: str) -> list[FieldEvent]:
        here = self.refuse_unless_here()
        return (
            [] if name == self.name else [FieldRenamed(project_id=here, from_=self.name, to=name)]
        )

    def offer(self, options: Sequence[Option]) -> list[FieldEvent]:
        """Offer *options* in that order; those that are left out are retired.

        :raises FieldNotValid: the field cannot have these options.
        """
        here = self.refuse_unless_here()
        known = dict(zip(self.options, self.option_names, strict=True))
        kept = {key: name for key, name in known.items() if key not in dict(options)}
        rules = (
            *(OptionRule(key=one.key) for one in options),
            *(OptionRule(key=key, retired=True) for key in kept),
        )
        _refuse_unless_valid(self.kind, options, rules)
        names = "\n".join([*(one.name for one in options), *kept.values()])
        changed = FieldOptionsChanged(project_id=here, options=rules, option_names=names)
        return [] if self.evolve(changed) == self else [changed]

    def delete(self) -> list[FieldEvent]:
        return [FieldDeleted(project_id=self.refuse_unless_here())]

    def restore(self) -> list[FieldEvent]:
        if self.project_id is None or self.purged:
            raise NotFound
        return [FieldRestored(project_id=self.project_id)] if self.deleted else []

    def refuse_unless_here(self) -> ProjectId:
        """Return the project, or raise NotFound if the field is missing or in the trash."""
        if self.project_id is None or self.deleted:
            raise NotFound
        return self.project_id


def _with_options(known: Field, options: Sequence[OptionRule], names: str) -> Field:
    named = _names(options, names)
    return replace(
        known,
        options=(*named,),
        option_names=(*named.values(),),
        retired=tuple(one.key for one in options if one.retired),
    )


def _names(options: Sequence[OptionRule], names: str) -> Mapping[str, str]:
    """Return the name of each option; its key, if the names are erased."""
    told = dict(enumerate(names.split("\n")))
    return {one.key: told.get(n, one.key) for n, one in enumerate(options)}


def _refuse_unless_valid(
    kind: FieldType, offered: Sequence[Option], every: Sequence[OptionRule]
) -> None:
    for problem in _problems(kind, offered, every):
        raise FieldNotValid(problem=problem)


def _problems(
    kind: FieldType, offered: Sequence[Option], every: Sequence[OptionRule]
) -> Iterator[str]:
    if kind not in CHOOSING:
        if every:
            yield f"a field of the type {kind} has no options"
        return
    if not offered:
        yield f"a field of the type {kind} offers at least one option"
    if len(every) > OPTIONS_MAX:
        yield f"a field has at most {OPTIONS_MAX} options, with those that are retired"
    if len(every) > len({one.key for one in every}):
        yield "two options have the same key"
    if len(offered) > len({one.name for one in offered}):
        yield "two options have the same name"


# Errors ---------------------------------------------------------------------


class FieldKeyTaken(DomainError):
    """Another custom field of this project has this key, perhaps one in the trash."""

    code = "field_key_taken"
    refusal = Refusal.CONFLICT


class FieldNameTaken(DomainError):
    """Another custom field of this project has this name. Choose a different one."""

    code = "field_name_taken"
    refusal = Refusal.CONFLICT


class FieldNotValid(DomainError):
    """A custom field cannot have these options. `problem` says what to change."""

    code = "field_not_valid"
    refusal = Refusal.INVALID


class FieldNotInUse(DomainError):
    """The custom field `key` is in the trash, or no longer offers the option that you chose."""

    code = "field_not_in_use"
    refusal = Refusal.CONFLICT
