"""A custom field: its name, its options, its deletion."""

from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import NotFound
from domain.planning.field import (
    OPTIONS_MAX,
    Field,
    FieldCreated,
    FieldDeleted,
    FieldEvent,
    FieldKeyTaken,
    FieldNotValid,
    FieldOptionsChanged,
    FieldRenamed,
    FieldRestored,
    Option,
    OptionRule,
    stream_of_field,
)
from domain.work.task.custom_field import FieldType
from tests.domain.spec import ANA, ENG, NOW, QUICK, check_refused, events_of, given

SMALL, LARGE = Option("s", "Small"), Option("l", "Large")


def created(kind: FieldType = FieldType.SELECT, *options: Option) -> FieldCreated:
    return FieldCreated(
        project_id=ENG,
        key="size",
        name="Size",
        kind=kind,
        options=tuple(OptionRule(key=one.key) for one in options),
        option_names="\n".join(one.name for one in options) or None,
        created_by=ANA,
        created_at=NOW,
    )


SIZE = given(Field(), created(FieldType.SELECT, SMALL, LARGE))
TEXT = given(Field(), created(FieldType.TEXT))
GONE = given(SIZE, FieldDeleted(project_id=ENG))


def test_a_field_is_created_once_for_its_key() -> None:
    assert Field().create(created(FieldType.TEXT)) == [created(FieldType.TEXT)]
    check_refused(FieldKeyTaken, lambda: SIZE.create(created()), lambda: GONE.create(created()))
    assert stream_of_field(ENG, "size") != stream_of_field(ENG, "sizes")


def test_a_changed_name_is_recorded_and_the_same_one_is_not() -> None:
    assert SIZE.rename("Extent") == [FieldRenamed(project_id=ENG, from_="Size", to="Extent")]
    assert SIZE.rename("Size") == []


def test_options_are_offered_in_their_order_and_those_left_out_are_retired() -> None:
    huge = Option("xl", "Huge")
    [changed] = SIZE.offer([huge, LARGE])
    assert changed == FieldOptionsChanged(
        project_id=ENG,
        options=(
            OptionRule(key="xl"),
            OptionRule(key="l"),
            OptionRule(key="s", retired=True),
        ),
        option_names="Huge\nLarge\nSmall",
    )
    after = given(SIZE, changed)
    assert (after.options, after.retired) == (("xl", "l", "s"), ("s",))
    assert after.offered == {"xl", "l"}
    assert after.offer([huge, LARGE]) == []
    assert given(after, *after.offer([SMALL, LARGE, huge])).retired == ()


@pytest.mark.parametrize(
    ("field", "options"),
    [
        (SIZE, []),
        (SIZE, [SMALL, Option("s", "Tiny")]),
        (SIZE, [SMALL, Option("t", "Small")]),
        (SIZE, [Option(f"o{n}", str(n)) for n in range(OPTIONS_MAX - 1)]),
        (TEXT, [SMALL]),
    ],
    ids=["none", "key twice", "name twice", "too many with the retired ones", "a text"],
)
def test_options_that_a_field_cannot_have_are_refused(field: Field, options: list[Option]) -> None:
    check_refused(FieldNotValid, lambda: field.offer(options))
    if field is TEXT or len(options) < 3:
        check_refused(FieldNotValid, lambda: Field().create(created(field.kind, *options)))


def test_a_field_in_the_trash_can_only_be_restored() -> None:
    offers: Any = lambda: GONE.offer([SMALL])  # noqa: E731 - one of three alike
    check_refused(NotFound, lambda: GONE.rename("X"), offers, GONE.delete, Field().restore)
    assert SIZE.delete() == [FieldDeleted(project_id=ENG)]
    assert given(GONE, *GONE.restore()) == SIZE
    assert GONE.restore() == [FieldRestored(project_id=ENG)]
    assert SIZE.restore() == []


def test_erased_names_are_shown_as_keys() -> None:
    erased = given(
        SIZE,
        FieldOptionsChanged(
            project_id=ENG, options=(OptionRule(key="s"), OptionRule(key="l")), option_names="gone"
        ),
    )
    assert erased.option_names == ("gone", "l")


@QUICK
@forall(st.lists(events_of(FieldEvent), max_size=12))
def test_folding_never_raises(events: list[FieldEvent]) -> None:
    assert isinstance(given(Field(), *events), Field)
