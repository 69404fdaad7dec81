"""The page of errors: every code that a problem can carry."""

from domain.base import DomainError
from tools.discover import leaves
from tools.markdown import code, meaning, page, table
from tools.problems import problems_of_the_door

_INTRO = """\
Every answer that is not a success is a problem as RFC 9457 has it: `application/problem+json` with
`type`, `title`, `status`, `detail`, `code` and `requestId`, and `errors` when parts of the request
are at fault. Programs look at `code`; people read `detail`. Facts of the refusal, such as the
statuses that would be `allowed`, stand beside them in camelCase."""


def errors_page() -> str:
    """Return the page: what rules refuse, then what the HTTP door itself answers."""
    from api.http.errors import STATUS  # noqa: PLC0415 - the other pages need no HTTP

    rules = sorted(leaves(DomainError, "domain", "commands"), key=lambda e: (STATUS[e], e.code))
    rows = [(code(e.code), str(STATUS[e]), meaning(e)) for e in rules]
    ruled = {e.code for e in rules}
    others = sorted({p for p in problems_of_the_door() if p[1] not in ruled})
    return page(
        "Errors",
        _INTRO,
        "## Rules of the business",
        table(("code", "status", "message"), rows),
        "## The HTTP door",
        table(("code", "status", "message"), [(code(c), str(s), m) for s, c, m in others]),
    )
