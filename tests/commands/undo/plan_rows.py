"""Events of the plan of a project and of views, and what takes back each of them."""

from domain.planning import cycle, field, milestone, view
from domain.planning.criteria import Criteria
from tests.commands.planning import plans
from tests.commands.undo.rows import FIELD, SIZE, WEEK, Row, of
from tests.domain.spec import ANA, ENG

PLAN_ROWS: list[Row] = [
    of(plans.ONE, plans.cycle(), then=cycle.CycleDeleted(project_id=ENG)),
    of(
        plans.ONE,
        plans.cycle(),
        cycle.CycleRenamed(project_id=ENG, from_="One", to="Two"),
        then=cycle.CycleRenamed(project_id=ENG, from_="Two", to="One"),
    ),
    of(
        plans.ONE,
        plans.cycle(),
        cycle.CycleRescheduled(project_id=ENG, from_=plans.TWO_WEEKS, to=WEEK),
        then=cycle.CycleRescheduled(project_id=ENG, from_=WEEK, to=plans.TWO_WEEKS),
    ),
    of(
        plans.ONE,
        plans.cycle(),
        cycle.CycleDeleted(project_id=ENG),
        then=cycle.CycleRestored(project_id=ENG),
    ),
    of(
        plans.ONE,
        plans.cycle(),
        cycle.CycleDeleted(project_id=ENG),
        cycle.CycleRestored(project_id=ENG),
        then=cycle.CycleDeleted(project_id=ENG),
    ),
    of(plans.BETA, plans.milestone(), then=milestone.MilestoneDeleted(project_id=ENG)),
    of(
        plans.BETA,
        plans.milestone(),
        milestone.MilestoneRenamed(project_id=ENG, from_="Beta", to="GA"),
        then=milestone.MilestoneRenamed(project_id=ENG, from_="GA", to="Beta"),
    ),
    of(
        plans.BETA,
        plans.milestone(),
        milestone.MilestoneDated(project_id=ENG, from_=None, to=plans.FIRST),
        then=milestone.MilestoneDated(project_id=ENG, from_=plans.FIRST, to=None),
    ),
    of(
        plans.BETA,
        plans.milestone(),
        milestone.MilestoneDeleted(project_id=ENG),
        then=milestone.MilestoneRestored(project_id=ENG),
    ),
    of(
        plans.BETA,
        plans.milestone(),
        milestone.MilestoneDeleted(project_id=ENG),
        milestone.MilestoneRestored(project_id=ENG),
        then=milestone.MilestoneDeleted(project_id=ENG),
    ),
    of(SIZE, FIELD, then=field.FieldDeleted(project_id=ENG)),
    of(
        SIZE,
        FIELD,
        field.FieldRenamed(project_id=ENG, from_="Size", to="Extent"),
        then=field.FieldRenamed(project_id=ENG, from_="Extent", to="Size"),
    ),
    of(
        SIZE,
        FIELD,
        field.FieldOptionsChanged(
            project_id=ENG, options=(field.OptionRule(key="s"),), option_names="Tiny"
        ),
        then=field.FieldOptionsChanged(
            project_id=ENG, options=(field.OptionRule(key="s"),), option_names="Small"
        ),
    ),
    of(
        SIZE,
        FIELD,
        field.FieldDeleted(project_id=ENG),
        then=field.FieldRestored(project_id=ENG),
    ),
    of(
        SIZE,
        FIELD,
        field.FieldDeleted(project_id=ENG),
        field.FieldRestored(project_id=ENG),
        then=field.FieldDeleted(project_id=ENG),
    ),
    of(plans.LATE, plans.view(), then=view.ViewDeleted(project_id=ENG, owner=ANA)),
    of(
        plans.LATE,
        plans.view(),
        view.ViewRenamed(from_="Late", to="Overdue"),
        then=view.ViewRenamed(from_="Overdue", to="Late"),
    ),
    of(plans.LATE, plans.view(), view.ViewUnshared(), then=view.ViewShared()),
    of(
        plans.LATE,
        plans.view(),
        view.ViewUnshared(),
        view.ViewShared(),
        then=view.ViewUnshared(),
    ),
    of(
        plans.LATE,
        plans.view(),
        view.ViewFiltered(criteria=Criteria(status=("TODO",), overdue=True), values="size:s"),
        view.ViewFiltered(criteria=Criteria(), values=None),
        then=view.ViewFiltered(criteria=Criteria(status=("TODO",), overdue=True), values="size:s"),
    ),
    of(
        plans.LATE,
        plans.view(),
        view.ViewSorted(from_=view.NEWEST, to="due"),
        then=view.ViewSorted(from_="due", to=view.NEWEST),
    ),
    of(
        plans.LATE,
        plans.view(),
        view.ViewColumnsChanged(columns=("title",)),
        then=view.ViewColumnsChanged(columns=()),
    ),
    of(
        plans.LATE,
        plans.view(),
        view.ViewDeleted(project_id=ENG, owner=ANA),
        then=view.ViewRestored(),
    ),
    of(
        plans.LATE,
        plans.view(),
        view.ViewDeleted(project_id=ENG, owner=ANA),
        view.ViewRestored(),
        then=view.ViewDeleted(project_id=ENG, owner=ANA),
    ),
]
