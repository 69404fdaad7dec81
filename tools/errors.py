"""Generates the errors page: every error code."""

from domain.base import DomainError
from tools.discover import leaves
from tools.markdown import code, meaning, page, table
from tools.problems import problems_of_the_api

_INTRO = """\
Every error response is a problem as defined by RFC 9457: `application/problem+json` with `type`,
`title`, `status`, `detail`, `code` and `requestId`, and `errors` if parts of the request are
wrong. Programs use `code`, people read `detail`. Some problems have further members in
camelCase, such as the `allowed` statuses."""


def errors_page() -> str:
    """Return the page: errors of business rules, then errors of the HTTP API itself."""
    from api.http.errors import STATUS  # noqa: PLC0415 - the other pages need no HTTP

    rules = sorted(
        leaves(DomainError, "domain", "commands"), key=lambda e: (STATUS[e.refusal], e.code)
    )
    rows = [(code(e.code), str(STATUS[e.refusal]), meaning(e)) for e in rules]
    ruled = {e.code for e in rules}
    others = sorted({p for p in problems_of_the_api() if p[1] not in ruled})
    return page(
        "Errors",
        _INTRO,
        "## Business rules",
        table(("code", "status", "message"), rows),
        "## HTTP",
        table(("code", "status", "message"), [(code(c), str(s), m) for s, c, m in others]),
    )
