"""The values that tasks have in custom fields."""

from typing import Any

import pytest

from domain.work.task.custom_field import (
    FIELD_NUMBER_MAX,
    FIELD_VALUES_MAX,
    FieldType,
    FieldValueNotValid,
    TaskFieldSet,
    TooManyFieldValues,
    options_in,
    shown_values,
    texts_of,
)
from domain.work.task.filling import empty, fill
from domain.work.task.state import Task
from tests.domain.spec import ANA, check_refused, given
from tests.domain.work.changes import OPEN

TEXT, NUMBER, MANY = FieldType.TEXT, FieldType.NUMBER, FieldType.MULTI_SELECT


@pytest.mark.parametrize(
    ("kind", "value", "seen"),
    [
        (FieldType.TEXT, "Räder: 2\n", "Räder: 2\n"),
        (FieldType.NUMBER, 3.0, 3),
        (FieldType.NUMBER, -0.25, -0.25),
        (FieldType.NUMBER, FIELD_NUMBER_MAX, 10**15),
        (FieldType.DATE, "2026-03-01", "2026-03-01"),
        (FieldType.SELECT, "red", "red"),
        (FieldType.MULTI_SELECT, ("red", "blue", "red"), ["blue", "red"]),
        (FieldType.USER, str(ANA).upper(), str(ANA)),
    ],
)
def test_a_value_is_shown_as_it_was_set(kind: FieldType, value: Any, seen: Any) -> None:
    task = given(OPEN, *fill(OPEN, "f", kind, texts_of("f", kind, value)))

    assert shown_values(task.fields) == {"f": seen}
    again = tuple(seen) if isinstance(seen, list) else seen
    assert fill(task, "f", kind, texts_of("f", kind, again)) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FieldType.TEXT, 3),
        (FieldType.NUMBER, "3"),
        (FieldType.NUMBER, float("inf")),
        (FieldType.NUMBER, 2e15),
        (FieldType.DATE, "2026-02-30"),
        (FieldType.DATE, 20260301),
        (FieldType.SELECT, ("red",)),
        (FieldType.SELECT, "red\nblue"),
        (FieldType.MULTI_SELECT, "red"),
        (FieldType.MULTI_SELECT, ("red\nblue",)),
        (FieldType.USER, "Ana"),
        (FieldType.USER, 1),
    ],
)
def test_a_value_of_another_type_is_refused(kind: FieldType, value: Any) -> None:
    check_refused(FieldValueNotValid, lambda: texts_of("f", kind, value))


def test_a_change_tells_the_value_before() -> None:
    first = given(OPEN, *fill(OPEN, "tags", MANY, ("a", "b")))

    assert fill(first, "tags", MANY, ("a", "c")) == [
        TaskFieldSet(key="tags", kind=MANY, from_="a\nb", to="a\nc")
    ]
    [gone] = fill(first, "tags", MANY, ())
    assert gone == TaskFieldSet(key="tags", kind=MANY, from_="a\nb", to=None)
    assert given(first, gone) == OPEN
    assert fill(OPEN, "tags", MANY, ()) == []


def test_fields_whose_keys_begin_alike_are_apart() -> None:
    both = given(OPEN, *fill(OPEN, "a", TEXT, ("x",)), *fill(OPEN, "ab", NUMBER, ("1",)))

    assert shown_values(both.fields) == {"a": "x", "ab": 1}
    assert shown_values(given(both, *fill(both, "a", TEXT, ())).fields) == {"ab": 1}


def test_a_task_has_values_in_so_many_fields_at_most() -> None:
    full = OPEN
    for number in range(FIELD_VALUES_MAX):
        full = given(full, *fill(full, f"f{number}", TEXT, ("x",)))

    check_refused(TooManyFieldValues, lambda: fill(full, "more", TEXT, ("x",)))
    assert fill(full, "f0", TEXT, ("y",))


def test_all_values_are_removed_at_once() -> None:
    task = given(OPEN, *fill(OPEN, "a", TEXT, ("x",)), *fill(OPEN, "b", MANY, ("y", "z")))

    assert given(task, *empty(task)).fields == ()
    assert empty(OPEN) == []


def test_only_select_fields_name_options() -> None:
    assert options_in(TaskFieldSet(key="f", kind=FieldType.TEXT, to="red")) == ()
    assert options_in(TaskFieldSet(key="f", kind=FieldType.SELECT, to="red")) == ("red",)
    assert options_in(TaskFieldSet(key="f", kind=MANY, to="red\nblue")) == ("red", "blue")


def test_an_erased_number_is_shown_as_the_text_in_its_place() -> None:
    erased = TaskFieldSet(key="f", kind=NUMBER, to="gone")

    assert shown_values(given(Task(), erased).fields) == {"f": "gone"}
