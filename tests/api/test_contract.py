"""The API's contract: routes and policies, errors, enumerations and health."""

from typing import Any
from uuid import uuid4

import pytest
from litestar import Litestar, Request, get

from api.http.errors import STATUS, as_problem
from api.http.guard import guard
from api.http.policy import POLICY, Open, PolicyMissing, handlers_of, needs, refuse_without_policy
from api.http.problem import Problem
from domain.base import DomainError
from domain.permission import Permission
from eventstore.append import ConcurrencyConflict, LogUnavailable, TooManyWaiting
from eventstore.mode import LogClosed, LogMode
from runtime.system import System
from security.passwords import HashingBusy
from tests.api.stage import Person, client_of, done, refused, until_ready
from tools.discover import leaves

PUBLIC = {
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/login/totp"),
    ("POST", "/api/auth/refresh-token"),
    ("GET", "/api/auth/oidc/{subdomain}"),
    ("GET", "/api/auth/oidc/callback"),
    ("POST", "/api/auth/confirm-email"),
    ("POST", "/api/auth/forgot-password"),
    ("POST", "/api/auth/reset-password"),
    ("POST", "/api/invitations/preview"),
    ("POST", "/api/invitations/accept"),
    ("GET", "/api/file/{token}"),
    ("GET", "/api/meta/enums"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/api/health"),
    ("GET", "/health"),
    ("GET", "/api/health/ready"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
    ("GET", "/api/dev/mail"),
    ("GET", "/api/dev/mail/{mail_id}"),
    ("GET", "/api/openapi.json"),
    ("GET", "/api/docs"),
    ("GET", "/api/docs/docs.js"),
    ("GET", "/api/docs/swagger-ui-bundle.js"),
    ("GET", "/api/docs/swagger-ui.css"),
}


class TestRoutes:
    def test_only_the_listed_routes_are_public(self, app: Litestar) -> None:
        public = {
            (method, path)
            for path, method, handler in handlers_of(app)
            if handler.opt[POLICY] is Open.PUBLIC
        }

        assert public == PUBLIC

    async def test_routes_refuse_requests_without_a_token_unless_they_are_public(
        self, app: Litestar
    ) -> None:
        async with client_of(app) as client:
            for path, method, handler in handlers_of(app):
                if handler.opt[POLICY] is Open.PUBLIC:
                    continue
                filled = path.replace("{task}", "ENG-1").replace("{", "").replace("}", "")
                for name in (
                    "project_id",
                    "organization_id",
                    "webhook_id",
                    "user_id",
                    "session_id",
                    "invitation_id",
                    "api_key_id",
                    "comment_id",
                    "worklog_id",
                    "label_id",
                    "field_id",
                    "cycle_id",
                    "milestone_id",
                    "view_id",
                    "template_id",
                    "import_id",
                    "team_id",
                    "attachment_id",
                ):
                    filled = filled.replace(name, "00000000-0000-0000-0000-000000000001")
                response = await client.request(method, filled, content=b"not read")
                assert response.status_code in (401, 404, 415), (method, filled)
                response = await client.request(method, filled)
                if response.status_code != 404:
                    refused(response, 401, "unauthorized")

    def test_a_route_without_a_policy_prevents_the_start(self) -> None:
        @get("/api/forgotten")
        async def forgotten() -> None:
            """Serve a route without a policy."""

        with pytest.raises(PolicyMissing, match="GET /api/forgotten"):
            refuse_without_policy(Litestar([forgotten], openapi_config=None), guard)

    def test_a_route_without_the_guard_prevents_the_start(self) -> None:
        async def nothing(_: Request[Any, Any, Any]) -> None:
            """Serve a public route."""

        @get("/api/open", opt=needs(Permission.TASK_READ), before_request=nothing)
        async def unguarded() -> None:
            """Serve a route without the guard."""

        app = Litestar([unguarded], before_request=guard, openapi_config=None)
        with pytest.raises(PolicyMissing, match="GET /api/open"):
            refuse_without_policy(app, guard)

    def test_routes_that_read_need_a_read_permission(self, app: Litestar) -> None:
        for path, method, handler in handlers_of(app):
            policy = handler.opt[POLICY]
            if method == "GET" and isinstance(policy, Permission):
                assert policy.endswith(":read") or path.endswith("/settings"), path


class TestErrors:
    def test_every_rule_is_answered_with_its_own_status_code_and_message(self) -> None:
        for error in leaves(DomainError, "domain", "commands"):
            problem = as_problem(error())

            assert problem is not None
            assert (problem.status, problem.code) == (STATUS[error.refusal], error.code)
            assert problem.detail == str(error())

    def test_no_two_errors_share_a_code(self) -> None:
        codes = [error.code for error in leaves(DomainError, "domain", "commands")]

        assert len(codes) == len(set(codes))

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (LogUnavailable("disk full"), 503, "unavailable"),
            (TooManyWaiting("of the organization"), 429, "rate_limited"),
            (LogClosed(LogMode.READ_ONLY), 503, "read_only"),
            (LogClosed(LogMode.MOVED), 503, "read_only"),
            (LogClosed(LogMode.CONTRADICTED), 503, "log_contradicted"),
            (LogClosed(LogMode.ACCEPTING), 503, "log_contradicted"),
            (HashingBusy(), 503, "busy"),
            (ConcurrencyConflict(stream=uuid4()), 409, "conflict"),
        ],
    )
    def test_outages_have_retry_after(self, error: Any, status: int, code: str) -> None:
        problem = as_problem(error)

        assert problem is not None
        assert (problem.status, problem.code) == (status, code)
        assert int(problem.headers["retry-after"]) > 0

    def test_a_503_always_has_retry_after(self) -> None:
        assert int(Problem(503, "unavailable", "Not now.").headers["retry-after"]) > 0

    async def test_a_bug_reveals_nothing_but_the_request_id(
        self,
        ana: Person,
        system: System,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        async def broken(*_: Any) -> None:
            raise RuntimeError("secret detail")

        monkeypatch.setattr("api.work.project.wait_for_own_writes", broken)

        response = await ana.get("/project")

        problem = refused(response, 500, "internal_error")
        assert "secret" not in response.text
        (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
        assert problem["requestId"] in record.getMessage()
        assert record.exc_info is not None


class TestMeta:
    async def test_enumerations_and_keys_are_public(self, app: Litestar) -> None:
        async with client_of(app) as client:
            enums = done(await client.get("/api/meta/enums"), 200)
            keys = done(await client.get("/.well-known/jwks.json"), 200)["keys"]

        assert enums["TaskStatus"] == ["TODO", "IN_PROGRESS", "IN_REVIEW", "DONE", "CANCELLED"]
        assert enums["Role"] == ["MEMBER", "MANAGER", "ADMIN"]
        assert keys[0]["kty"] == "OKP"
        assert "d" not in keys[0]

    async def test_health_says_whether_the_stores_answer(
        self, app: Litestar, system: System, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with client_of(app) as client:
            await until_ready(client)  # the first projection may still be on its way
            for path in ("/health", "/api/health", "/health/ready", "/api/health/ready"):
                assert done(await client.get(path), 200)["status"] == "ok"

            def broken(*_: Any) -> None:
                raise LogUnavailable("disk full")

            monkeypatch.setattr(system.log.store, "last_position", broken)
            problem = refused(await client.get("/health/ready"), 503, "not_ready")
            assert problem["checks"] == {
                "eventLog": "unavailable",
                "readModels": "ok",
                "projector": "ok",
                "deliveries": "ok",
            }
            done(await client.get("/health"), 200)
