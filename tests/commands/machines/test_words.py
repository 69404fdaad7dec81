"""Any sequence of commands on who sees what and what is said, beside the model."""

from typing import Any
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, invariant, rule
from msgspec import Struct

from commands.work.comment import CommentCommand, DeleteComment, PostComment, RestoreComment
from commands.work.project import EditProject
from commands.work.project_member import AddProjectMember, RemoveProjectMember
from commands.work.team import AddTeamMember, RemoveTeamMember
from commands.work.trash.things import Thing
from domain.base import CommentId, ProjectId, TaskId, TeamId, UserId
from domain.permission import Permission
from domain.work.project.events import Visibility
from domain.work.team import TeamCreated
from domain.work.trash import TrashKind
from projections.work.comment import Comments
from tests.commands.machines.patience import examples
from tests.commands.machines.test_relations import Web
from tests.commands.machines.world import NONE, PEOPLE
from tests.domain.spec import ANA, GEARS
from tests.projections.spec import shown
from tests.spec import on, record

PRIVATE = Visibility.PRIVATE


class Said(Struct):
    """What the model knows of a comment."""

    task: TaskId
    author: UserId
    deleted_by: UserId | None = None


class Talk(Web):
    """The company, whose projects are hidden, and whose tasks are discussed."""

    projects, tasks = Web.projects, Web.tasks
    comments: Bundle[CommentId] = Bundle("comments")

    def __init__(self) -> None:
        super().__init__()
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

    @rule(comment=comments, by=PEOPLE)
    def purge_comment(self, comment: CommentId, by: UserId) -> None:
        self.purges(Thing(TrashKind.COMMENT, comment), by)

    def is_trashed(self, thing: Thing) -> bool:
        said = self.said.get(CommentId(thing.id))
        return super().is_trashed(thing) or (said is not None and said.deleted_by is not None)

    # What must hold ---------------------------------------------------------

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

    async def check_the_end(self) -> None:
        await super().check_the_end()
        events = await self.log.tail(0, 10_000)
        heard = shown(Comments(), *(e for e in events if e.tag in Comments.tags))
        there = {key.partition(":")[2]: not one.deleted for key, one in heard.items()}
        assert there == {str(c): said.deleted_by is None for c, said in self.said.items()}


Talk.TestCase.settings = settings(max_examples=examples(20), stateful_step_count=40)
TestTalk = Talk.TestCase
