"""The API's contract: routes and policies, errors, the description, the documentation page."""

import hashlib
import json
import re
from typing import Any
from uuid import uuid4

import pytest
from litestar import Litestar, Request, get

from api.app import ROUTES
from api.description.openapi import describe
from api.docs import STATIC
from api.http.errors import STATUS, as_problem
from api.http.guard import guard
from api.http.policy import POLICY, Open, PolicyMissing, handlers_of, needs, refuse_without_policy
from api.http.problem import Problem
from domain.base import DomainError
from domain.permission import Permission
from eventstore.append import ConcurrencyConflict, LogUnavailable
from eventstore.mode import LogClosed, LogMode
from runtime.system import System
from security.passwords import HashingBusy
from tests.api.stage import Person, client_of, done, refused
from tools.discover import leaves

PUBLIC = {
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/refresh-token"),
    ("POST", "/api/auth/forgot-password"),
    ("POST", "/api/auth/reset-password"),
    ("POST", "/api/invitations/preview"),
    ("POST", "/api/invitations/accept"),
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

SWAGGER_UI = {
    "swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
    "swagger-ui.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
}
"""SHA-256 of the files of swagger-ui-dist 5.35.0 on the npm registry."""


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
        for _, method, handler in handlers_of(app):
            policy = handler.opt[POLICY]
            if method == "GET" and isinstance(policy, Permission):
                assert policy.endswith(":read")


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


class TestDescription:
    def test_the_description_is_complete_for_every_route(self, app: Litestar) -> None:
        described = describe(ROUTES)

        assert described["openapi"].startswith("3.1")
        for path, method, handler in handlers_of(app):
            if path.startswith(("/api/docs", "/api/openapi")):
                continue
            operation = described["paths"][path][method.lower()]
            assert operation["summary"]
            assert operation["tags"]
            assert {"400", "429", "500", "503"} <= operation["responses"].keys()
            public = handler.opt[POLICY] is Open.PUBLIC
            if path == "/api/auth/refresh-token":
                assert operation["security"] == [{"refreshCookie": []}]
            else:
                assert operation["security"] == ([] if public else [{"bearer": []}])
            assert (handler.parsed_data_field is not None) == ("requestBody" in operation)
            if handler.parsed_data_field is not None:
                schema = next(iter(operation["requestBody"]["content"].values()))["schema"]
                assert "$ref" in str(schema)

    def test_every_operation_has_a_name_of_its_own_that_reads_as_what_it_does(self) -> None:
        paths = describe(ROUTES)["paths"]
        names = [
            operation["operationId"]
            for item in paths.values()
            for method, operation in item.items()
            if method != "parameters"
        ]

        twice = {name for name in names if names.count(name) > 1}
        assert not twice, f"rename the functions of these routes, as in list_tasks: {twice}"
        assert {"createTask", "listTasks", "changeTaskStatus", "login", "editWebhook"} <= {*names}

    def test_headers_failures_and_dry_runs_are_described(self) -> None:
        described = describe(ROUTES)
        create = described["paths"]["/api/project/{project_id}/tasks"]["post"]["responses"]
        export = described["paths"]["/api/audit/export"]["get"]["responses"]["200"]
        webhook = described["components"]["schemas"]["NewWebhook"]["properties"]

        assert {"ETag", "Location", "X-Position", "X-Request-Id"} <= create["201"]["headers"].keys()
        assert create["200"]["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/DryRun"
        }
        assert "project_on_hold" in create["409"]["$ref"]
        assert export["content"].keys() == {"application/jsonl", "text/csv"}
        assert webhook["events"]["items"] == {"type": "string", "maxLength": 100}

    def test_no_body_names_a_position_of_the_log(self) -> None:
        schemas = describe(ROUTES)["components"]["schemas"]

        assert "seq" in schemas["EventView"]["properties"]
        named = {name: each.get("properties", {}) for name, each in schemas.items()}
        assert [name for name, properties in named.items() if "position" in properties] == []

    def test_the_description_forbids_unknown_fields_in_bodies(self) -> None:
        schemas = describe(ROUTES)["components"]["schemas"]

        for name in (
            "NewTask",
            "TaskChange",
            "Registration",
            "NewOrganization",
            "Hold",
            "ReplayRange",
        ):
            assert schemas[name]["additionalProperties"] is False

    def test_the_description_has_no_broken_references(self) -> None:
        described = describe(ROUTES)

        texts = re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(described))
        assert texts
        for reference in texts:
            at: Any = described
            for name in reference.split("/"):
                at = at[name]

    async def test_the_documentation_page_works_offline(self, app: Litestar) -> None:
        async with client_of(app) as client:
            assert done(await client.get("/api/openapi.json"), 200)["paths"]
            for path in ("", "/docs.js", "/swagger-ui-bundle.js", "/swagger-ui.css"):
                response = await client.get(f"/api/docs{path}")
                assert response.status_code == 200
                assert "script-src 'self'" in response.headers["content-security-policy"]

        for name in ("docs.html", "docs.js"):
            text = (STATIC / name).read_text()
            assert "http://" not in text
            assert "https://" not in text

    @pytest.mark.parametrize(("name", "digest"), SWAGGER_UI.items())
    def test_swagger_ui_is_the_published_one(self, name: str, digest: str) -> None:
        assert hashlib.sha256((STATIC / "swagger-ui" / name).read_bytes()).hexdigest() == digest

    def test_the_description_tells_how_to_log_in(self) -> None:
        described = describe(ROUTES)

        assert "Authorize" in described["info"]["description"]
        assert "accessToken" in described["info"]["description"]


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
