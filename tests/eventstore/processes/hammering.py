"""A process with four clients that send any command of the work, and print what became of each."""

import asyncio
import sys
from collections.abc import Callable
from uuid import UUID

from commands.base import Command
from commands.handler import CommandHandler
from commands.planning.view import CreateView, DeleteView, RestoreView
from commands.work.attachment import AttachFile, DeleteAttachment, NoteScan, RestoreAttachment
from commands.work.comment import DeleteComment, EditComment, PostComment, RestoreComment
from commands.work.label import CreateLabel, DeleteLabel, RestoreLabel
from commands.work.project import (
    ArchiveProject,
    CreateProject,
    DeleteProject,
    EditProject,
    HoldProject,
    RestoreProject,
    ResumeProject,
    UnarchiveProject,
)
from commands.work.project_member import AddProjectMember, RemoveProjectMember
from commands.work.relation import AddRelation, RemoveRelation
from commands.work.task import AssignTask, ChangeTaskStatus, EditTask, UnassignTask
from commands.work.task_create import CreateTask
from commands.work.task_label import LabelTask, UnlabelTask
from commands.work.task_move import MoveTask
from commands.work.task_rank import RankTask
from commands.work.task_watch import UnwatchTask, WatchTask
from commands.work.team import (
    AddTeamMember,
    CreateTeam,
    DeleteTeam,
    RemoveTeamMember,
    RestoreTeam,
)
from commands.work.trash.purge import PurgeContents, PurgeTrashed
from commands.work.trash.task import DeleteTask, RestoreTask
from commands.work.trash.things import Thing
from domain.base import AttachmentId, CommentId, LabelId, ProjectId, TaskId, TeamId, UserId, ViewId
from domain.work.attachment import ScanState
from domain.work.project.events import Visibility
from domain.work.relation import RelationKind
from domain.work.task.events import TaskStatus
from domain.work.trash import TrashKind
from eventstore.open import open_store
from tests.domain.spec import ANA, BEN, CLEO, ENG
from tests.eventstore.processes.choices import Choices
from tests.eventstore.processes.creating import attempt
from tests.spec import context, opened

CLIENTS, COMMANDS = 4, 250
"""And besides, each client makes the projects and the tasks."""
PROJECTS = [ENG, ProjectId(UUID(int=22)), ProjectId(UUID(int=24))]
TASKS = [TaskId(UUID(int=900 + n)) for n in range(12)]
COMMENTS = [CommentId(UUID(int=950 + n)) for n in range(4)]
FILES = [AttachmentId(UUID(int=960 + n)) for n in range(8)]
FILE_BYTES, ROOM_FOR = 10_000_000, 3
"""What FREE allows for one file, and for how many of these the test leaves room."""
LABELS = [LabelId(UUID(int=970 + n)) for n in range(2)]
TEAM = TeamId(UUID(int=980))
VIEWS = [ViewId(UUID(int=985 + n)) for n in range(6)]
DOOMED = TASKS[-4:]
"""Tasks that may be purged; most are not, so that the others go on with them."""
CONTENTS = (
    *(Thing(TrashKind.TASK, each) for each in TASKS),
    *(Thing(TrashKind.COMMENT, each) for each in COMMENTS),
    *(Thing(TrashKind.ATTACHMENT, each) for each in FILES),
)
"""What may be in what is purged, or not."""


class Chance(Choices):
    """What one client does."""

    def command(self) -> tuple[Command, UserId]:
        """Return the next command and who sends it; half of them are about tasks."""
        areas = [self._of_task, self._of_task, self._of_other, self._of_file]
        command: Command = self.of(self.of(areas)())()
        return command, self.of([ANA, ANA, BEN, CLEO])

    def _of_task(self) -> list[Callable[[], Command]]:
        choice = self.of
        task, other, user = choice(TASKS), choice(TASKS), choice([ANA, BEN, CLEO])
        project, label, to = choice(PROJECTS), choice(LABELS), choice(list(TaskStatus))
        parent = choice([None, other])
        kind = choice(list(RelationKind))
        return [
            *[lambda: CreateTask(task_id=task, project_id=project, title="X", parent_id=parent)]
            * 4,
            *[lambda: ChangeTaskStatus(task_id=task, to=to, via_path=True)] * 3,
            *[lambda: AddRelation(task_id=task, kind=kind, other_id=other)] * 2,
            lambda: RemoveRelation(task_id=task, kind=kind, other_id=other),
            lambda: EditTask(task_id=task, title=f"To {to}", parent_id=parent, below=(*TASKS,)),
            lambda: ChangeTaskStatus(task_id=task, to=to, force=True),
            lambda: AssignTask(task_id=task, user_id=user),
            lambda: UnassignTask(task_id=task, user_id=user),
            lambda: WatchTask(task_id=task, user_id=user),
            lambda: UnwatchTask(task_id=task, user_id=user),
            lambda: LabelTask(task_id=task, label_id=label),
            lambda: UnlabelTask(task_id=task, label_id=label),
            lambda: RankTask(task_id=task, beside=other, before=True, neighbor=None),
            lambda: MoveTask(task_id=task, project_id=project),
            lambda: MoveTask(task_id=task, project_id=project, with_subtasks=False, below=(other,)),
            lambda: DeleteTask(task_id=task),
            *[lambda: RestoreTask(task_id=task)] * 3,
            lambda: PurgeTrashed(thing=Thing(TrashKind.TASK, choice(DOOMED))),
        ]

    def _of_file(self) -> list[Callable[[], Command]]:
        choice = self.of
        file, verdict = choice(FILES), choice([ScanState.CLEAN, ScanState.INFECTED])
        task = TASKS[FILES.index(file) % 3]  # where they can be found again
        new = AttachFile(
            attachment_id=file,
            task_id=task,
            name="plan.pdf",
            media_type="application/pdf",
            size=FILE_BYTES,
            sha256="0" * 64,
            state=choice([ScanState.CLEAN, ScanState.PENDING]),
        )
        return [
            *[lambda: new] * 3,
            *[lambda: DeleteAttachment(attachment_id=file, task_id=task)] * 2,
            *[lambda: RestoreAttachment(attachment_id=file, task_id=task)] * 3,
            lambda: NoteScan(attachment_id=file, state=verdict),
            *[lambda: PurgeTrashed(thing=Thing(TrashKind.ATTACHMENT, choice(FILES[-3:])))] * 3,
        ]

    def _of_other(self) -> list[Callable[[], Command]]:
        choice = self.of
        task, project, user = choice(TASKS), choice(PROJECTS), choice([ANA, BEN, CLEO])
        comment, label, to = choice(COMMENTS), choice(LABELS), choice(list(Visibility))
        view = choice(VIEWS)
        key = f"P{PROJECTS.index(project)}"
        return [
            *[lambda: CreateProject(project_id=project, key=key, name="One of three")] * 3,
            lambda: EditProject(project_id=project, visibility=to),
            lambda: AddProjectMember(project_id=project, user_id=user),
            lambda: RemoveProjectMember(project_id=project, user_id=user),
            lambda: HoldProject(project_id=project),
            *[lambda: ResumeProject(project_id=project)] * 4,
            lambda: ArchiveProject(project_id=project),
            *[lambda: UnarchiveProject(project_id=project)] * 8,
            lambda: DeleteProject(project_id=project),
            *[lambda: RestoreProject(project_id=project)] * 8,
            *[lambda: PostComment(comment_id=comment, task_id=task, body="Done?")] * 2,
            lambda: EditComment(comment_id=comment, task_id=task, body="Done!"),
            lambda: DeleteComment(comment_id=comment, task_id=task),
            lambda: RestoreComment(comment_id=comment, task_id=task),
            *[lambda: CreateLabel(label_id=label, name=str(label), color="#ff0000")] * 2,
            lambda: DeleteLabel(label_id=label),
            lambda: RestoreLabel(label_id=label),
            lambda: CreateTeam(team_id=TEAM, name="Gears"),
            lambda: AddTeamMember(team_id=TEAM, user_id=user),
            lambda: RemoveTeamMember(team_id=TEAM, user_id=user),
            lambda: DeleteTeam(team_id=TEAM),
            lambda: RestoreTeam(team_id=TEAM),
            *[lambda: CreateView(view_id=view, name="Late")] * 2,
            *[lambda: DeleteView(view_id=view)] * 2,
            lambda: RestoreView(view_id=view),
            lambda: PurgeTrashed(thing=Thing(TrashKind.VIEW, view)),
            lambda: PurgeTrashed(thing=Thing(TrashKind.COMMENT, comment)),
            lambda: PurgeTrashed(thing=Thing(TrashKind.LABEL, LABELS[-1])),
            lambda: PurgeTrashed(thing=Thing(TrashKind.PROJECT, PROJECTS[-1])),
            lambda: PurgeContents(within=Thing(TrashKind.PROJECT, PROJECTS[-1]), things=CONTENTS),
            lambda: PurgeContents(within=Thing(TrashKind.TASK, task), things=CONTENTS),
        ]


async def hammer(handler: CommandHandler, seed: str) -> None:
    """Send commands one after the other, at first those that make what the others are about."""
    for project in PROJECTS[1:]:
        key = f"P{PROJECTS.index(project)}"
        await attempt(handler, CreateProject(project_id=project, key=key, name="One of three"))
    for task in TASKS:
        await attempt(handler, CreateTask(task_id=task, project_id=ENG, title="X"))
    chance = Chance(seed)
    for _ in range(COMMANDS):
        command, by = chance.command()
        await attempt(handler, command, context(by))


async def main(url: str, process: str) -> None:
    """Let four clients hammer the log at *url*."""
    store = await asyncio.to_thread(open_store, url)
    async with opened(store) as log:
        handler = CommandHandler(log)
        await asyncio.gather(*(hammer(handler, f"{process} {n}") for n in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
