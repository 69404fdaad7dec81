"""What each event of planning changes, and on which state."""

from domain.base import Event, State
from domain.planning import field
from domain.work.task.custom_field import FieldType
from tests.domain.spec import ANA, ENG, NOW, given

SIZE = given(
    field.Field(),
    field.FieldCreated(
        project_id=ENG,
        key="size",
        name="Size",
        kind=FieldType.SELECT,
        options=(field.OptionRule(key="s"),),
        option_names="Small",
        created_by=ANA,
        created_at=NOW,
    ),
)
RETIRED = (field.OptionRule(key="l"), field.OptionRule(key="s", retired=True))

PLANNING_CHANGES: list[tuple[State, Event, tuple[str, ...]]] = [
    (SIZE, field.FieldRenamed(project_id=ENG, from_="Size", to="Extent"), ("name",)),
    (
        SIZE,
        field.FieldOptionsChanged(project_id=ENG, options=RETIRED, option_names="Large\nSmall"),
        ("options", "retired", "option_names"),
    ),
    (SIZE, field.FieldDeleted(project_id=ENG), ("deleted",)),
    (
        given(SIZE, field.FieldDeleted(project_id=ENG)),
        field.FieldRestored(project_id=ENG),
        ("deleted",),
    ),
]

PLANNING_CREATIONS: set[type[Event]] = {field.FieldCreated}
