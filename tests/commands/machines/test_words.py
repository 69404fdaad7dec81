"""Any sequence of commands on who sees what, what blocks what and what is said, beside the model.

In the end every read model of tasks and comments must show what the model knows.
"""

from typing import Any
from uuid import uuid4

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, invariant, rule
from msgspec import Struct

from commands.lint.walk import lint_log
from commands.relation_counts import open_blockers
from commands.work.comment import CommentCommand, DeleteComment, PostComment, RestoreComment
from commands.work.project import EditProject
from commands.work.project_member import AddProjectMember, RemoveProjectMember
from commands.work.relation import AddRelation, RemoveRelation
from commands.work.team import AddTeamMember, RemoveTeamMember
from commands.work.trash.purge import PurgeTrashed
from commands.work.trash.things import Thing
from domain.base import ERASED, CommentId, ProjectId, TaskId, TeamId, UserId
from domain.permission import Permission
from domain.work.project.events import Visibility
from domain.work.relation import RelationKind, graph_of
from domain.work.team import TeamCreated
from domain.work.trash import TrashKind
from projections.work.comment import Comments
from projections.work.task import Tasks
from tests.commands.test_machine import FINISHED, NONE, PEOPLE
from tests.commands.test_machine_of_tasks import Board
from tests.domain.spec import ACME, ANA, GEARS
from tests.projections.spec import shown
from tests.spec import on, record

BLOCKS, PRIVATE = RelationKind.BLOCKS, Visibility.PRIVATE


class Said(Struct):
    """What the model knows of a comment."""

    task: TaskId
    author: UserId
    deleted_by: UserId | None = None


class Talk(Board):
    """The company, whose projects are hidden, and whose tasks are blocked and discussed."""

    projects, tasks = Board.projects, Board.tasks
    comments: Bundle[CommentId] = Bundle("comments")

    def __init__(self) -> None:
        super().__init__()
        self.blocks: set[tuple[TaskId, TaskId]] = set()
        self.said: dict[CommentId, Said] = {}
        self.linked: set[ProjectId] = set()
        self.crew: set[UserId] = set()
        self.run(record(self.log, on(GEARS, TeamCreated(name="Gears", created_by=ANA))))

    # Who sees what ----------------------------------------------------------

    def sees(self, by: UserId, project: ProjectId) -> bool:
        of_team = project in self.linked and by in self.crew and by in self.roles
        return of_team or super().sees(by, project)

    @rule(project=projects, by=PEOPLE, to=st.sampled_from(Visibility))
    def show_project(self, project: ProjectId, by: UserId, to: Visibility) -> None:
        right = self.may(by, Permission.PROJECT_EDIT, project) and self.editable(project)
        if self.passes(EditProject(project_id=project, visibility=to), by, right):
            (self.private.add if to is PRIVATE else self.private.discard)(project)
            if not self.sees(by, project):
                self.invited[project].add(by)

    @rule(project=projects, by=PEOPLE, team=st.sampled_from([GEARS, None]))
    def link_team(self, project: ProjectId, by: UserId, team: TeamId | None) -> None:
        right = self.may(by, Permission.PROJECT_EDIT, project) and self.editable(project)
        if self.passes(EditProject(project_id=project, team_id=team), by, right):
            (self.linked.discard if team is None else self.linked.add)(project)

    @rule(project=projects, by=PEOPLE, who=PEOPLE, joins=st.booleans())
    def change_members(self, project: ProjectId, by: UserId, who: UserId, joins: bool) -> None:
        right = self.may(by, Permission.PROJECT_EDIT, project)
        if joins:
            command: Any = AddProjectMember(project_id=project, user_id=who)
            right = right and self.editable(project) and who in self.roles
        else:
            command = RemoveProjectMember(project_id=project, user_id=who)
            right = (right or (by == who and self.sees(by, project))) and project not in self.trash
        if self.passes(command, by, right):
            (self.invited[project].add if joins else self.invited[project].discard)(who)

    @rule(by=PEOPLE, who=PEOPLE, joins=st.booleans())
    def change_team(self, by: UserId, who: UserId, joins: bool) -> None:
        right = self.may(by, Permission.TEAM_EDIT)
        if joins:
            command: Any = AddTeamMember(team_id=GEARS, user_id=who)
            right = right and who in self.roles
        else:
            command = RemoveTeamMember(team_id=GEARS, user_id=who)
            right = right or (by == who and by in self.roles)
        if self.passes(command, by, right):
            (self.crew.add if joins else self.crew.discard)(who)

    # What blocks what -------------------------------------------------------

    def is_held_up(self, task: TaskId) -> bool:
        return super().is_held_up(task) or any(
            self.pieces[one].project not in self.trash for one in self.blockers(task)
        )

    def open_above(self, task: TaskId) -> int:
        """Return how many open tasks block *task*, also in deleted projects."""
        return len(self.blockers(task))

    def blockers(self, task: TaskId) -> list[TaskId]:
        """Return the open tasks that block *task* and are not in the trash by themselves."""
        return [
            one
            for one, other in self.blocks
            if other == task and self.pieces[one].status not in FINISHED and self.shown(one)
        ]

    def leads(self, start: TaskId, goal: TaskId) -> bool:
        return start == goal or any(
            self.leads(other, goal) for one, other in self.blocks if one == start
        )

    @rule(one=tasks, other=tasks, by=PEOPLE, adds=st.booleans())
    def relate(self, one: TaskId, other: TaskId, by: UserId, adds: bool) -> None:
        first, second = self.pieces[one].project, self.pieces[other].project
        right = self.may(by, Permission.TASK_EDIT, first) and self.sees(by, second)
        right = right and self.editable(first) and second not in self.trash
        right = right and self.shown(one) and self.shown(other)
        if adds:
            right = right and (one, other) not in self.blocks and not self.leads(other, one)
        else:
            right = right and (one, other) in self.blocks
        kind = AddRelation if adds else RemoveRelation
        if self.passes(kind(task_id=one, kind=BLOCKS, other_id=other), by, right):
            (self.blocks.add if adds else self.blocks.discard)((one, other))

    # What is said -----------------------------------------------------------

    def talks(self, by: UserId, task: TaskId) -> bool:
        """Return whether somebody may comment on *task*."""
        project = self.pieces[task].project
        here = self.shown(task) and self.editable(project)
        return self.may(by, Permission.COMMENT_POST, project) and here

    @rule(target=comments, task=tasks, by=PEOPLE)
    def post(self, task: TaskId, by: UserId) -> Any:
        comment = CommentId(uuid4())
        command = PostComment(comment_id=comment, task_id=task, body="Done?")
        if not self.passes(command, by, self.talks(by, task)):
            return NONE
        self.said[comment] = Said(task, by)
        return comment

    @rule(comment=comments, by=PEOPLE, kind=st.sampled_from([DeleteComment, RestoreComment]))
    def delete_or_restore_comment(
        self, comment: CommentId, by: UserId, kind: type[CommentCommand]
    ) -> None:
        said = self.said[comment]
        gone = said.deleted_by is not None
        own = by == ((said.deleted_by if kind is RestoreComment else None) or said.author)
        right = self.talks(by, said.task) and (own or self.may(by, Permission.COMMENT_DELETE))
        right = right and not (gone and kind is DeleteComment) and comment not in self.purged
        if self.passes(kind(task_id=said.task, comment_id=comment), by, right):
            said.deleted_by = by if kind is DeleteComment else None

    # What is purged ---------------------------------------------------------

    @rule(task=tasks, by=PEOPLE)
    def purge_task(self, task: TaskId, by: UserId) -> None:
        if self.purges(Thing(TrashKind.TASK, task), by):
            self.pieces[task].title = ERASED

    @rule(project=projects, by=PEOPLE)
    def purge_project(self, project: ProjectId, by: UserId) -> None:
        self.purges(Thing(TrashKind.PROJECT, project), by)

    @rule(comment=comments, by=PEOPLE)
    def purge_comment(self, comment: CommentId, by: UserId) -> None:
        self.purges(Thing(TrashKind.COMMENT, comment), by)

    def purges(self, thing: Thing, by: UserId) -> bool:
        """Purge a thing, which must be in the trash and not be purged; return whether it is."""
        said = self.said.get(CommentId(thing.id))
        trashed = thing.id in self.trash or (said is not None and said.deleted_by is not None)
        right = self.may(by, Permission.TRASH_PURGE) and trashed and thing.id not in self.purged
        if self.passes(PurgeTrashed(thing=thing), by, right):
            self.purged.add(thing.id)
            return True
        return False

    # What must hold ---------------------------------------------------------

    @invariant()
    def what_blocks_a_task_is_counted_and_folded(self) -> None:
        expected = {open_blockers(ACME, task): self.open_above(task) for task in self.pieces}
        assert self.run(self.log.counted(*expected)) == list(expected.values())
        if self.blocks:
            graph = self.replayed(graph_of(ACME))
            assert {(t, o) for t in self.pieces for o in graph.blocked_by(t)} == self.blocks

    @invariant()
    def replaying_the_log_gives_comments_and_members(self) -> None:
        for comment, said in self.said.items():
            found = self.replayed(comment)
            told = Said(found.task_id, found.created_by, found.deleted_by)
            assert (told, found.deleted) == (said, said.deleted_by is not None)
        for project, invited in self.invited.items():
            state = self.replayed(project)
            assert {*state.members} == invited
            assert (state.visibility is PRIVATE) is (project in self.private)
            assert (state.team_id is not None) is (project in self.linked)

    def teardown(self) -> None:
        try:
            self.run(self._check_the_end())
        finally:
            super().teardown()

    async def _check_the_end(self) -> None:
        assert [str(finding) async for finding in lint_log(self.log)] == []
        events = await self.log.tail(0, 10_000)
        listed = shown(Tasks(), *(e for e in events if e.tag in Tasks.tags))
        assert len(listed) == len(self.pieces)
        for task, piece in self.pieces.items():
            document = listed[f"{ACME}:{task}"]
            view = msgspec.json.decode(document.json)
            told = (view["projectId"], view["number"], view["status"], view["blocked"])
            blocked = self.open_above(task) > 0
            assert told == (str(piece.project), piece.number, piece.status, blocked)
            assert document.deleted is not self.shown(task)
        heard = shown(Comments(), *(e for e in events if e.tag in Comments.tags))
        there = {key.partition(":")[2]: not one.deleted for key, one in heard.items()}
        assert there == {str(c): said.deleted_by is None for c, said in self.said.items()}


Talk.TestCase.settings = settings(max_examples=20, stateful_step_count=40)
TestTalk = Talk.TestCase
