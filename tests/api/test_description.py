"""The API's description is complete and true, and its documentation page works offline."""

import hashlib
import json
import re
from typing import Any

import pytest
from litestar import Litestar

from api.docs import STATIC
from api.http.policy import POLICY, STREAMS, Open, handlers_of, scope_of
from tests.api.stage import client_of, done
from tools.http import description

SWAGGER_UI = {
    "swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
    "swagger-ui.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
}
"""SHA-256 of the files of swagger-ui-dist 5.35.0 on the npm registry."""


class TestDescription:
    def test_the_description_is_complete_for_every_route(self, app: Litestar) -> None:
        described = description()

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
                scoped = scope_of(handler) is not None
                key: list[Any] = [{"apiKey": []}] if scoped else []
                assert operation["security"] == ([] if public else [{"bearer": []}, *key])
            has_body = handler.parsed_data_field is not None or bool(handler.opt.get(STREAMS))
            assert has_body == ("requestBody" in operation)
            if handler.parsed_data_field is not None:
                schema = next(iter(operation["requestBody"]["content"].values()))["schema"]
                assert "$ref" in str(schema)

    def test_every_operation_has_a_name_of_its_own_that_reads_as_what_it_does(self) -> None:
        paths = description()["paths"]
        names = [
            operation["operationId"]
            for item in paths.values()
            for method, operation in item.items()
            if method != "parameters"
        ]

        twice = {name for name in names if names.count(name) > 1}
        assert not twice, f"rename the functions of these routes, as in list_tasks: {twice}"
        assert {"createTask", "listTasks", "changeTaskStatus", "login", "editWebhook"} <= {*names}

    def test_what_is_created_is_linked_to_what_can_be_done_with_it(self) -> None:
        paths = description()["paths"]
        created = {
            f"POST {path}": item["post"]["responses"]["201"]
            for path, item in paths.items()
            if "201" in item.get("post", {}).get("responses", ())
        }

        linked = {name: {*answer["links"]} for name, answer in created.items() if "links" in answer}
        assert linked.keys() == created.keys() - {
            "POST /api/auth/register",  # one's profile has a path without an id
            "POST /api/invitations/accept",
            "POST /api/task/{task}/relations",  # one of a list, with no path for a GET
        }
        assert linked["POST /api/project/{project}/tasks"] >= {"getTask", "editTask"}
        invited = created["POST /api/org/{organization_id}/invitations"]["links"]
        assert invited["revokeInvitation"]["parameters"] == {
            "organization_id": "$request.path.organization_id",
            "invitation_id": "$response.body#/id",
        }

    def test_headers_failures_and_dry_runs_are_described(self) -> None:
        described = description()
        create = described["paths"]["/api/project/{project}/tasks"]["post"]["responses"]
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
        schemas = description()["components"]["schemas"]

        assert "seq" in schemas["EventView"]["properties"]
        named = {name: each.get("properties", {}) for name, each in schemas.items()}
        assert [name for name, properties in named.items() if "position" in properties] == []

    def test_the_description_forbids_unknown_fields_in_bodies(self) -> None:
        schemas = description()["components"]["schemas"]

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
        described = description()

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
        described = description()

        assert "Authorize" in described["info"]["description"]
        assert "accessToken" in described["info"]["description"]


def test_every_number_in_a_query_has_a_greatest_value() -> None:
    described = description()
    parameters = [*described["components"].get("parameters", {}).values()]
    for item in described["paths"].values():
        parameters += [each for one in item.values() for each in one.get("parameters", ())]

    for parameter in parameters:
        schema = parameter.get("schema", {})
        kinds = [schema, *schema.get("oneOf", ()), *schema.get("anyOf", ())]
        assert all("maximum" in each for each in kinds if each.get("type") == "integer"), parameter
