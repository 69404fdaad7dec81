"""A label: its name, its colour, its deletion."""

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import NotFound
from domain.name import folded
from domain.work.label import (
    Label,
    LabelCreated,
    LabelDeleted,
    LabelEvent,
    LabelRecolored,
    LabelRenamed,
    LabelRestored,
)
from tests.domain.spec import ANA, ENG, NOW, QUICK, check_refused, events_of, given

CREATED = LabelCreated(name="Bug", color="#ff0000", project_id=ENG, created_by=ANA, created_at=NOW)
BUG = given(Label(), CREATED)
GONE = given(BUG, LabelDeleted())


def test_a_changed_field_records_one_event_and_the_same_value_none() -> None:
    assert BUG.rename("Defect") == [LabelRenamed(from_="Bug", to="Defect")]
    assert BUG.recolor("#00ff00") == [LabelRecolored(from_="#ff0000", to="#00ff00")]
    assert BUG.rename("Bug") == BUG.recolor("#ff0000") == []
    changed = given(BUG, *BUG.rename("Defect"), *BUG.recolor("#00ff00"))
    assert (changed.name, changed.color, changed.project_id) == ("Defect", "#00ff00", ENG)


def test_creating_a_label_again_records_nothing() -> None:
    assert Label().create(CREATED) == [CREATED]
    assert BUG.create(CREATED) == []


def test_a_label_in_the_trash_can_only_be_restored() -> None:
    check_refused(NotFound, lambda: GONE.rename("X"), lambda: GONE.recolor("#000000"), GONE.delete)
    assert BUG.delete() == [LabelDeleted(project_id=BUG.project_id, owner=ANA)]
    assert GONE.restore() == [LabelRestored()]
    assert given(GONE, LabelRestored()) == BUG
    assert BUG.restore() == []


def test_a_label_that_never_was_is_not_found() -> None:
    check_refused(NotFound, Label().delete, Label().restore, Label().refuse_unless_here)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Bug", "BUG"), ("Stra\u00dfe", "STRASSE"), ("\ufb01x", "fix"), ("caf\u00e9", " cafe\u0301 ")],
)
def test_names_that_look_alike_are_the_same(one: str, other: str) -> None:
    assert folded(one) == folded(other)
    assert folded("bug") != folded("bugs")


@QUICK
@forall(st.text())
def test_folding_a_name_twice_changes_nothing(name: str) -> None:
    assert folded(folded(name)) == folded(name)


@QUICK
@forall(st.lists(events_of(LabelEvent), max_size=12))
def test_folding_never_raises(events: list[LabelEvent]) -> None:
    assert isinstance(given(Label(), *events), Label)
