"""Bodies of requests: how large, how slow and of which kind they may be."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import Litestar

from api.http import edge
from tests.api.stage import Person, done, refused


class TestBody:
    async def test_a_body_is_limited_with_and_without_content_length(self, ana: Person) -> None:
        big = json.dumps({"key": "ENG", "name": "x" * edge.BODY_BYTES_MAX}).encode()

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(big), 65_536):
                yield big[start : start + 65_536]

        headers = {"content-type": "application/json"}
        for content in (big, chunks()):
            response = await ana.post("/project", content=content, headers=headers)
            refused(response, 413, "body_too_large")

    async def test_a_body_can_arrive_in_pieces(self, ana: Person) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for piece in (b'{"key": "E', b'NG", "name"', b': "Engine"}'):
                yield piece

        response = await ana.post(
            "/project", content=chunks(), headers={"content-type": "application/json"}
        )

        done(response, 201)

    @pytest.mark.parametrize("kind", ["text/plain", "", "application/json; charset=latin1"])
    async def test_a_body_must_be_labelled_as_json(self, ana: Person, kind: str) -> None:
        response = await ana.post("/project", content=b"{}", headers={"content-type": kind})

        refused(response, 415, "unsupported_media_type")
        assert response.headers["accept"] == "application/json"

    @pytest.mark.parametrize(
        "kind",
        [
            "application/json;charset=UTF-8",
            'Application/JSON; charset="utf-8"; x=y',
            "application/json; x=y",
            "application/json;",
        ],
    )
    async def test_json_may_have_parameters(self, ana: Person, kind: str) -> None:
        body = b'{"key": "ENG", "name": "Engine"}'

        done(await ana.post("/project", content=body, headers={"content-type": kind}), 201)

    async def test_a_patch_may_be_a_merge_patch(self, ana: Person) -> None:
        await ana.task(await ana.project(), description="Slowly")
        headers = {"content-type": "application/merge-patch+json"}

        body = b'{"description": null}'
        patched = await ana.ask("PATCH", "/task/ENG-1", content=body, headers=headers)
        posted = await ana.post("/project", content=b"{}", headers=headers)
        other = await ana.ask(
            "PATCH", "/task/ENG-1", content=body, headers={"content-type": "text/plain"}
        )

        assert done(patched, 200)["description"] is None
        refused(posted, 415, "unsupported_media_type")
        refused(other, 415, "unsupported_media_type")
        assert other.headers["accept"] == "application/json, application/merge-patch+json"

    async def test_json_ends_with_a_newline_for_terminals(self, ana: Person) -> None:
        for path in ("/user/me", "/project", "/nope", "/openapi.json"):
            assert (await ana.get(path)).content.endswith(b"}\n")

    async def test_a_compressed_body_is_refused(self, ana: Person) -> None:
        headers = {"content-type": "application/json", "content-encoding": "gzip"}

        response = await ana.post("/project", content=b"x", headers=headers)

        refused(response, 415, "unsupported_encoding")
        assert response.headers["accept-encoding"] == "identity"

    async def test_a_body_must_arrive_in_time(
        self, app: Litestar, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(edge, "BODY_DEADLINE_S", 0.01)
        sent: list[Any] = []

        async def never() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [
            (b"host", b"a"),
            (b"content-length", b"10"),
            (b"content-type", b"application/json"),
        ]
        scope: Any = {
            "type": "http",
            "method": "POST",
            "path": "/api/auth/login",
            "headers": headers,
            "query_string": b"",
            "client": None,
            "http_version": "1.1",
        }
        await app.asgi_handler(scope, never, send)

        assert sent[0]["status"] == 408

    async def test_an_interrupted_body_gets_no_response(self, app: Litestar) -> None:
        sent: list[Any] = []

        async def gone() -> Any:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope: Any = {
            "type": "http",
            "method": "POST",
            "path": "/api/auth/login",
            "headers": [(b"host", b"a"), (b"content-length", b"10")],
            "query_string": b"",
            "client": None,
            "http_version": "1.1",
        }
        await app.asgi_handler(scope, gone, send)

        assert sent == []
