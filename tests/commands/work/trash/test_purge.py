"""Stories of what ends in the trash: purged by an ADMIN, by time, and with what it was in."""

from datetime import timedelta

from msgspec.structs import replace

from commands.base import NotPermitted
from commands.work.trash.purge import PurgeContents, PurgeExpired, PurgeTrashed
from commands.work.trash.things import Thing
from domain.base import NotFound
from domain.identity.organization.events import PlanChanged
from domain.identity.organization.legal_hold import LegalHold, LegalHoldLifted
from domain.identity.plan import PLAN_LIMITS, Plan
from domain.planning.view import ViewShared
from domain.work.attachment import AttachmentPurged
from domain.work.comment import CommentPurged
from domain.work.project.events import ProjectDeleted, ProjectPurged
from domain.work.task.trash_events import TaskPurged
from domain.work.trash import TrashKind
from tests.commands.acme import (
    CHILD,
    COMMENT,
    FILE,
    HERE,
    attachment,
    comment,
    task,
)
from tests.commands.work.trash.cases import (
    CASES,
    EACH,
    HELD,
    LATER,
    PROJECT_THING,
    SAVED,
    TASK_THING,
    Case,
)
from tests.domain.spec import ACME, BEN, DAY, ENG, NOW, TASK
from tests.spec import given, on

PARTS = ("label", "cycle", "milestone", "view", "template")


class TestPurgeTrashed:
    @EACH
    def test_an_admin_purges_what_is_in_the_trash_once(self, case: Case) -> None:
        asked = PurgeTrashed(thing=case.thing)
        given(*HERE, case.gone).when(asked).then(on(case.thing.id, case.purged))
        given(*HERE, case.gone).when(asked, by=BEN).then_refused(NotPermitted, needs="trash:purge")
        given(*HERE, case.gone, on(case.thing.id, case.purged)).when(asked).then_refused(NotFound)

    @EACH
    def test_what_is_not_in_the_trash_stays(self, case: Case) -> None:
        made = () if case.made is None else (on(case.thing.id, case.made),)
        given(*HERE, *made).when(PurgeTrashed(thing=case.thing)).then_refused(NotFound)

    def test_a_legal_hold_refuses_until_it_is_lifted(self) -> None:
        past, asked = (*HERE, CASES[1].gone), PurgeTrashed(thing=TASK_THING)
        given(*past, HELD).when(asked).then_refused(LegalHold)
        given(*past, HELD, on(ACME, LegalHoldLifted())).when(asked).then(TaskPurged())

    def test_a_private_view_is_nobody_elses_to_purge(self) -> None:
        view = next(case for case in CASES if case.thing.kind == "view")
        of_ben = replace(SAVED, created_by=BEN)
        asked = PurgeTrashed(thing=view.thing)
        past = (*HERE, on(view.thing.id, of_ben, view.deleted))
        given(*past).when(asked).then_refused(NotFound)
        shared = (*HERE, on(view.thing.id, of_ben, ViewShared(), view.deleted))
        given(*shared).when(asked).then(view.purged)

    def test_a_thing_of_another_kind_is_not_found(self) -> None:
        asked = PurgeTrashed(thing=Thing(TrashKind.COMMENT, TASK))
        given(*HERE, CASES[1].gone).when(asked).then_refused(NotFound)


class TestPurgeExpired:
    @EACH
    def test_it_ends_what_the_plan_no_longer_keeps(self, case: Case) -> None:
        asked = PurgeExpired(thing=case.thing)
        given(*HERE, case.gone).when(asked, now=LATER).then(on(case.thing.id, case.purged))
        given(*HERE, case.gone).when(asked, now=LATER - timedelta(seconds=1)).then()

    def test_a_larger_plan_keeps_it_longer_and_a_hold_for_ever(self) -> None:
        past, asked = (*HERE, CASES[1].gone), PurgeExpired(thing=TASK_THING)
        larger = on(ACME, PlanChanged(from_=Plan.FREE, to=Plan.BASIC))
        given(*past, larger).when(asked, now=LATER).then()
        kept = PLAN_LIMITS[Plan.BASIC].trash_retention
        given(*past, larger).when(asked, now=NOW + kept).then(TaskPurged())
        given(*past, HELD).when(asked, now=NOW + 1_000 * DAY).then_refused(LegalHold)

    def test_what_was_restored_or_never_deleted_stays(self) -> None:
        asked = PurgeExpired(thing=TASK_THING)
        given(*HERE).when(asked, now=LATER).then_refused(NotFound)


class TestPurgeContents:
    def test_a_purged_task_takes_what_is_in_it_along(self) -> None:
        below = on(CHILD, task(6, parent=TASK))
        past = (*HERE, below, on(COMMENT, comment()), on(FILE, attachment()), CASES[1].gone)
        things = (*(case.thing for case in CASES[2:4]), Thing(TrashKind.TASK, CHILD))
        asked = PurgeContents(within=TASK_THING, things=things)
        purged = (
            on(COMMENT, CommentPurged(task_id=TASK)),
            on(FILE, AttachmentPurged(task_id=TASK)),
            on(CHILD, TaskPurged()),
        )
        ended = on(TASK, TaskPurged())
        given(*past, ended).when(asked).then(*purged)
        given(*past, ended, *purged).when(asked).then()
        given(*past).when(asked).then_refused(NotFound)

    def test_a_purged_project_takes_its_parts_along(self) -> None:
        parts = [case for case in CASES if case.thing.kind in PARTS]
        parts.append(CASES[-1])
        made = [on(case.thing.id, case.made) for case in parts if case.made is not None]
        past = (*HERE, *made, on(ENG, ProjectDeleted(), ProjectPurged()))
        things = tuple(case.thing for case in parts)
        asked = PurgeContents(within=PROJECT_THING, things=(*things, TASK_THING))
        given(*past).when(asked).then(
            *(on(case.thing.id, case.purged) for case in parts), on(TASK, TaskPurged())
        )

    def test_a_legal_hold_stops_it_until_it_is_lifted(self) -> None:
        below = on(CHILD, task(6, parent=TASK))
        past = (*HERE, below, CASES[1].gone, on(TASK, TaskPurged()))
        asked = PurgeContents(within=TASK_THING, things=(Thing(TrashKind.TASK, CHILD),))
        given(*past, HELD).when(asked).then_refused(LegalHold)
        given(*past, HELD, on(ACME, LegalHoldLifted())).when(asked).then(on(CHILD, TaskPurged()))

    def test_what_is_not_in_it_stays(self) -> None:
        lone = on(CHILD, task(6))
        past = (*HERE, lone, CASES[1].gone, on(TASK, TaskPurged()))
        asked = PurgeContents(within=TASK_THING, things=(Thing(TrashKind.TASK, CHILD),))
        given(*past).when(asked).then()
