"""Every failure that a route declares happens in some test, or is listed as one that does not.

A failure that is not declared fails the test that sees it (tests/exchanges.py). This runs after all
other tests of the API.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar

from api.description.failures import code_of, failures_of
from api.http.policy import FAILS, handlers_of
from tests.exchanges import FAILURES_SEEN

UNREACHED = Path(__file__).with_name("unreached_failures.txt")
SHARED = "any route"


def declared(app: Litestar) -> Iterator[tuple[str, str]]:
    """Yield each route with the codes of its own, and every code that routes share."""
    for path, method, handler in handlers_of(app):
        own = {code_of(failure) for failure in handler.opt.get(FAILS, ())}
        yield from ((f"{method} {path}", code) for code in own)
        listed = failures_of(method, handler).values()
        yield from ((SHARED, code) for codes in listed for code in codes if code not in own)


def unreached() -> set[tuple[str, str]]:
    """Return the failures in the list; each line is a route, or any, and a code."""
    lines = UNREACHED.read_text(encoding="utf-8").splitlines()
    found = [line.rpartition(" ") for line in lines if line and not line.startswith("#")]
    return {(route, code) for route, _, code in found}


def test_every_declared_failure_happens_in_a_test_or_is_listed(
    app: Litestar, request: pytest.FixtureRequest
) -> None:
    others = set(Path(__file__).parent.rglob("test_*.py")) - {Path(__file__)}
    if not {item.path for item in request.session.items} >= others:
        pytest.skip("only when all tests of the API run")

    seen = FAILURES_SEEN | {(SHARED, code) for _, code in FAILURES_SEEN}

    missing = sorted(set(declared(app)) - seen - unreached())
    assert not missing, "\n".join(map(" ".join, missing))


def test_the_list_names_only_declared_failures(app: Litestar) -> None:
    assert sorted(unreached() - set(declared(app))) == []
