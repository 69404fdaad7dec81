"""Tasks counted per project: a read model of several streams, which cannot stand one title."""

from collections.abc import Sequence

from msgspec import Struct

from domain.work.task.events import TaskCreated, TaskRetitled
from eventstore.recorded import Recorded
from projections.base import Projection, document_id, tags_of
from tests.domain.spec import ENG

POISON = TaskRetitled(from_="Oil it", to="poison")


class Counted(Struct, frozen=True):
    """How many tasks a project has, and which titles were given."""

    tasks: int = 0
    titles: tuple[str, ...] = ()


class ProjectCounts(Projection[Counted]):
    """A document a project, fed by the streams of all its tasks."""

    name = "counts"
    tags = tags_of(TaskCreated, TaskRetitled)
    state = Counted
    healed = False

    def keys(self, recorded: Recorded) -> Sequence[str]:
        return (document_id(recorded.org_id, ENG),)

    def fold(self, key: str, state: Counted | None, recorded: Recorded) -> Counted:
        before = state or Counted()
        if isinstance(recorded.event, TaskCreated):
            return Counted(before.tasks + 1, before.titles)
        if recorded.event == POISON and not self.healed:
            raise ZeroDivisionError("poison")
        return Counted(before.tasks, (*before.titles, "retitled"))

    def render(self, key: str, state: Counted, recorded: Recorded) -> bytes:
        return b"%d" % state.tasks
