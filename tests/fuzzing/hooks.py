"""What Schemathesis needs to know of us; it imports this module (``SCHEMATHESIS_HOOKS``).

Who sends the requests and what exists, which is made again every minute, because generated requests
also log out and delete; and which requests may be refused although the description allows them.
"""

import os
import random
import re
from typing import Any

import schemathesis

from tests.fuzzing.world import World, make_world

API_URL = os.environ["FUZZED_URL"]
RENEWED_S = 60
REAL_IDS = 0.8
"""The share of path parameters that name something that exists."""

REFUSALS = {401, 402, 403, 404, 409, 412, 429}
"""Refusals that depend on what is stored, which no description can tell."""

UNDESCRIBABLE = re.compile(
    "Text must not contain NUL characters"  # no text at all may, so it is not said of each
    "|This cursor belongs to another list.*"
    "|The log has only \\d+ events?"
    "|Expected an e-mail address"
    r"|Expected `int( \| null)?`, got `float`"  # 5.0 is an integer for JSON Schema, and not for us
    "|Expected a network such as .*|API keys cannot have .*"
    "|Expected names of events, at most \\d+|Expected the name of an event, or a group: .*"
    "|Expected changes, or delete alone|Names a task twice"
    "|Expected a range of days (or times with a zone, )?such as .*"
    "|Expected a range that ends no earlier than it begins"
    r"|Expected at most (\d+, the (size of the (tree|newest checkpoint)|newest checkpoint)|`to`)"
    r"|Expected at most \d+ days from `from` on"
    "|Expected 1 to 10 words of letters or digits"
    "|Expected code or recoveryCode|Needed for a new account"
    "|Needed without a template|Expected either this or task and subtasks"
    "|Expected a mapping in JSON: .*|Send the file in UTF-8 .*"
    "|There is no event with this number yet|There is no column .*"
    "|This time has not come yet|This cannot be combined with `as_of`"
    "|All values are left out: leave one of them|Put `!` before each value, .*"  # in views
    "|'.*' is not .*|Expected at most 50 values, .*|Use `none` alone, without other values"
    "|Expected either before or after|Expected a URL of APP_URL or CORS_ORIGINS.*"
    "|the (URL|host|port) .*|names under .* are not public",
    re.DOTALL,
)
"""Why else a request may be refused that the description allows."""

GENERAL = {"malformed_request", "invalid_request"}
"""Codes of 400 and 422 for whatever breaks the description; others are of rules, as declared."""

BRIEFLY = {"read_model_behind", "busy"}
"""Codes of 503 that a loaded machine may answer."""

_chance = random.Random(1)  # noqa: S311 - nothing secret
_world: World | None = None
_made: set[str] = set()
"""The ids of what generated requests have created, to which links lead."""


@schemathesis.auth(refresh_interval=RENEWED_S)
class Login:
    """Gives each generated request the token of somebody who has one of everything."""

    def get(self, case: Any, context: Any) -> World:
        global _world  # noqa: PLW0603 - hooks share nothing else
        _world = make_world(API_URL)
        return _world

    def set(self, case: Any, data: World, context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {data.token}"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Let most path parameters name something that exists, and If-Match a version.

    A stream of events ends, unless the request is refused.
    """
    if case.operation.path == "/api/events" and _follows(case.query):
        case.query = {**(case.query or {}), "follow": "false"}
    for name, value in (case.path_parameters or {}).items():
        if value in _made or _world is None or name not in _world.ids:
            continue
        if _chance.random() < REAL_IDS:
            case.path_parameters[name] = _world.ids[name]
    if case.meta.generation.mode.is_positive and case.headers.get("If-Match") == "0":
        case.headers["If-Match"] = '"0"'  # the coverage phase does not know the pattern


def _follows(query: Any) -> bool:
    return (query or {}).get("follow") in (None, True, "true")


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Note what was created."""
    if response.status_code == 201:
        _made.add(response.json().get("id"))


@schemathesis.check
def only_rules_refuse_what_is_described(context: Any, response: Any, case: Any) -> None:
    """Fail if a request that matches the description is refused without a known reason."""
    problem = response.json() if response.status_code >= 400 and response.content else {}
    if response.status_code == 502:  # no provider of the generated organizations exists
        assert problem["code"] == "provider_failed", problem
    elif response.status_code == 503:
        assert problem["code"] in BRIEFLY, problem
    elif response.status_code >= 400 and case.meta.generation.mode.is_positive:
        assert _is_known(response.status_code, problem), problem


def _is_known(status: int, problem: Any) -> bool:
    if status in REFUSALS or problem["code"] not in GENERAL:
        return True
    told = [each["message"] for each in problem.get("errors", ())] or [problem["detail"]]
    return all(UNDESCRIBABLE.fullmatch(text) for text in told)
