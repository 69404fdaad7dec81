"""Races about templates, and how few streams the append verifies for those who use one."""

from collections.abc import AsyncIterator, Callable, Sequence
from uuid import UUID

import pytest
from msgspec.structs import replace

from commands.base import Command
from commands.handler import CommandHandler
from commands.lint.walk import lint_log
from commands.planning.cycle import DeleteCycle
from commands.planning.milestone import DeleteMilestone
from commands.planning.template import DeleteTemplate, EditTemplate
from commands.reads import Reads
from commands.work.label import DeleteLabel
from domain.base import DomainError, LabelId, NotFound
from domain.identity.plan import PLAN_LIMITS, Plan, PlanLimitReached
from domain.planning.template.errors import TemplateNameTaken
from domain.planning.template.state import TaskTemplate
from domain.planning.template.values import StartingValues
from domain.work.label import LabelCreated
from domain.work.task.state import Task
from eventstore.append import Append, Outcome
from eventstore.log import EventLog
from eventstore.memory import MemoryStore
from tests.commands.acme import ACCOUNTS, OPS
from tests.commands.exchange.using import BELOW, FULL, MAIN, Noted, kept, made, use
from tests.commands.planning.plans import BETA, BUG_FORM, ONE, OTHER_PROJECT, PLANNED
from tests.commands.planning.templates import BUG, PRIVATE, create, label
from tests.domain.spec import ACME, ANA, CLEO, NOW
from tests.spec import context, on, opened, record

MANY = [LabelId(UUID(int=2_000 + n)) for n in range(50)]
NAMED = [
    on(each, LabelCreated(name=str(each), color="#ff0000", created_by=ANA, created_at=NOW))
    for each in MANY
]
PARTS = {"subtasks": (FULL,) * 3, "subtask_titles": "One\nTwo\nThree"}


class _Watched(MemoryStore):
    """Notes how many streams each append verifies."""

    verified: tuple[int, ...] = ()

    def commit(self, appends: Sequence[Append]) -> list[Outcome]:
        self.verified += tuple(len(append.expects) for append in appends)
        return super().commit(appends)


@pytest.fixture
async def log() -> AsyncIterator[EventLog]:
    async with opened(_Watched()) as log:
        await record(log, *ACCOUNTS, *PLANNED, label())
        await record(log, kept(values=FULL, **PARTS))
        yield log


async def refusal(handler: CommandHandler, command: Command) -> DomainError | None:
    """Return why *command* is refused, None if it is not."""
    try:
        await handler.handle(command, context())
    except DomainError as refused:
        return refused
    return None


Meanwhile = Callable[[Command], None]


@pytest.fixture
def meanwhile(
    log: EventLog, elsewhere: CommandHandler, monkeypatch: pytest.MonkeyPatch
) -> Meanwhile:
    """Let another process run a command between the next decision and its append."""
    append = log.append

    def arrange(command: Command) -> None:
        async def late(asked: Append) -> int:
            monkeypatch.setattr(log, "append", append)
            await elsewhere.handle(command, context())
            return await append(asked)

        monkeypatch.setattr(log, "append", late)

    return arrange


async def is_there(log: EventLog, task_id: UUID) -> bool:
    return bool(await log.heads({task_id: ACME}))


async def clean(log: EventLog) -> bool:
    return not [each async for each in lint_log(log)]


async def test_of_two_that_create_the_same_name_one_is_refused(
    log: EventLog, handler: CommandHandler, meanwhile: Meanwhile
) -> None:
    second = replace(create("NEW"), template_id=MAIN)
    meanwhile(create("New"))

    assert isinstance(await refusal(handler, second), TemplateNameTaken)
    assert await clean(log)


async def test_a_template_that_is_deleted_meanwhile_creates_nothing(
    log: EventLog, handler: CommandHandler, meanwhile: Meanwhile
) -> None:
    delete = DeleteTemplate(template_id=BUG_FORM)
    meanwhile(delete)

    assert isinstance(await refusal(handler, use()), NotFound)
    assert not await is_there(log, MAIN)


async def test_a_template_that_is_changed_meanwhile_is_used_as_it_is_then(
    log: EventLog, handler: CommandHandler, meanwhile: Meanwhile
) -> None:
    edit = EditTemplate(template_id=BUG_FORM, title="Changed", subtasks=())
    meanwhile(edit)
    noted = Noted()

    await handler.handle(use(noted), context())

    assert (await handler.states.fresh(Task, MAIN, ACME)).title == "Changed"
    assert noted.made.subtasks == 0
    assert not await is_there(log, BELOW[0])


@pytest.mark.parametrize(
    ("delete", "field"),
    [
        (DeleteLabel(label_id=BUG), "labels"),
        (DeleteCycle(cycle_id=ONE), "cycle_id"),
        (DeleteMilestone(milestone_id=BETA), "milestone_id"),
    ],
)
async def test_what_is_deleted_meanwhile_is_left_out(
    log: EventLog, handler: CommandHandler, meanwhile: Meanwhile, delete: Command, field: str
) -> None:
    meanwhile(delete)
    noted = Noted()

    await handler.handle(use(noted), context())

    assert [each[:2] for each in noted.left_out] == [(n, field) for n in (None, 0, 1, 2)]
    task = await handler.states.fresh(Task, MAIN, ACME)
    assert not getattr(task, field)
    assert await clean(log)


async def test_a_label_that_was_deleted_is_left_out_by_a_process_that_has_not_heard(
    handler: CommandHandler, elsewhere: CommandHandler, log: EventLog
) -> None:
    await handler.handle(use(), context())
    await elsewhere.handle(DeleteLabel(label_id=BUG), context())
    again = replace(use(noted := Noted()), subtask_ids=tuple(MANY))
    again = replace(again, task=replace(again.task, task_id=LabelId(UUID(int=999))))

    await handler.handle(again, context())

    assert [each[1] for each in noted.left_out] == ["labels"] * 4
    assert await clean(log)


async def test_a_limit_that_subtasks_reach_refuses_all_of_them(
    log: EventLog, handler: CommandHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(PLAN_LIMITS[Plan.FREE], tasks=4)
    monkeypatch.setitem(PLAN_LIMITS, Plan.FREE, few)
    before = await log.last_position()

    assert isinstance(await refusal(handler, use()), PlanLimitReached)
    assert await log.last_position() == before
    edit = EditTemplate(template_id=BUG_FORM, subtasks=())
    await handler.handle(edit, context())
    assert await refusal(handler, use()) is None


async def test_the_reply_is_repeated_only_to_those_who_see_the_task_itself(
    log: EventLog, handler: CommandHandler
) -> None:
    await record(log, OTHER_PROJECT, PRIVATE)
    below = replace(made("Part", 1), project_id=OPS, project_key="OPS", parent_id=MAIN)
    await record(log, on(MAIN, made()), on(BELOW[0], below))

    await use().permit_repeat(Reads(handler.states, ACME), context(), BELOW[0])
    with pytest.raises(NotFound):
        await use().permit_repeat(Reads(handler.states, ACME), context(CLEO), BELOW[0])


async def test_the_append_verifies_few_streams_beside_those_that_it_creates() -> None:
    store = _Watched()
    values = StartingValues(labels=tuple(MANY), assignees=(ANA,), cycle_id=ONE, milestone_id=BETA)
    async with opened(store) as log:
        await record(log, *ACCOUNTS, *PLANNED, *NAMED)
        form = kept(values=values, subtasks=(values,) * 50, subtask_titles="\n".join(["One"] * 50))
        await record(log, form)
        await CommandHandler(log).handle(use(), context())
        template = await CommandHandler(log).states.fresh(TaskTemplate, BUG_FORM, ACME)

    assert len(template.subtasks) == 50
    assert store.verified[-1] <= 51 + 4  # the organization, the project, the template
