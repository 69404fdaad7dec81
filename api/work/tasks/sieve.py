"""Pages of tasks of which some are left out that a query finds, as no index answers all filters."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from api.work.tasks.blocked import is_blocked
from api.work.tasks.detail import Timed
from api.work.tasks.left_out import LeftOut
from projections.engine.find import Find, full_page
from projections.engine.query import LIMIT_MAX, ListSlice, list_slice
from projections.exchange.keys_named import NamedProjects
from projections.exchange.tasks_found import has_words, may_have_words
from projections.exchange.words import SearchWords

_MORE = 4
"""How many times as many tasks are looked at each time that a page is not full yet."""


class Sieve(Struct, frozen=True, kw_only=True):
    """What is compared with each task; None lets all pass.

    ``words`` are what it says, and ``named`` those of them that are keys of its project, too.
    Whether it is ``blocked`` depends on what is in the trash. It has nothing of what is
    ``left_out``.
    """

    words: SearchWords | None
    named: NamedProjects
    blocked: bool | None
    left_out: LeftOut

    @property
    def compares(self) -> bool:
        """Whether no query finds only what passes."""
        return self.words is not None or self.left_out.compares

    def may_pass(self, task: bytes) -> bool:
        """Return whether a task as it is stored may be asked for; it is quick to say no."""
        if self.words is not None and not may_have_words(task, self.words, self.named):
            return False
        return self.left_out.passes(task)

    def passes(self, task: bytes) -> bool:
        """Return whether a task that may pass is asked for as it is shown."""
        if self.blocked is not None and is_blocked(task) is not self.blocked:
            return False
        return self.words is None or has_words(task, self.words, self.named)


async def sifted(
    sieve: Sieve,
    find: Find,
    show: Callable[[ListSlice], Awaitable[Timed]],
    limit: int,
    after: str | int | None,
) -> Timed:
    """Return the page of what *sieve* lets pass, as *show* completes it, behind the key *after*.

    *find* returns tasks as they are stored. More of them are looked at, and more at a time, until
    the page is full.
    """
    changes: list[datetime | None] = []

    async def pass_some(_: int, after: Any) -> ListSlice:
        found = await find(min((limit + 1) * _MORE ** len(changes), LIMIT_MAX), after)
        some = _only(found, [*map(sieve.may_pass, found.items)])
        shown = await show(some)
        changes.append(shown.until)
        return _only(shown.page, [*map(sieve.passes, shown.page.items)])

    page = await full_page(pass_some, limit, after)
    return Timed(page, min((each for each in changes if each is not None), default=None))


def _only(page: ListSlice, passes: Sequence[bool]) -> ListSlice:
    """Return the items of a page that pass; there is more behind it, or not, as before."""
    rows = zip(page.keys, page.items, passes, strict=True)
    passed = [(key, item) for key, item, is_passed in rows if is_passed]
    return list_slice([item for _, item in passed], page.next_key, [key for key, _ in passed])
