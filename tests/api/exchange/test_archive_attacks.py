"""Archives that are broken, or made to do harm, are refused before anything is imported."""

from zipfile import ZIP_BZIP2

import pytest

from tests.api.exchange.archives import A, packed, packed_in
from tests.api.exchange.task_files import in_lines
from tests.api.stage import Person, done, refused


def truncated(body: bytes) -> bytes:
    return body[:-30]


def encrypted(body: bytes) -> bytes:
    """Return an archive whose entries say that they are encrypted."""
    at = body.index(b"PK\x01\x02")
    return body[: at + 8] + b"\x01" + body[at + 9 :]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "malformed_file"),
        (in_lines(A), 422, "malformed_file"),
        (truncated(packed(A)), 422, "malformed_file"),
        (encrypted(packed(A)), 422, "malformed_file"),
        (packed_in(ZIP_BZIP2, A), 422, "malformed_file"),
        (packed(A).replace(b"tasks.jsonl", b"tasks.jsonx"), 422, "malformed_file"),
        (packed(A).replace(b"PK\x03\x04", b"PK\x03\x05"), 422, "malformed_file"),
        (packed(A, **{f"{n}" * 200: b"" for n in range(1_000, 1_200)}), 202, ""),
    ],
)
async def test_what_is_no_archive_of_work_is_refused(
    ana: Person, body: bytes, status: int, code: str
) -> None:
    project = await ana.project()
    path = f"/project/{project['id']}/import?format=zip"

    response = await ana.ask("POST", path, content=body)
    again = await ana.ask("POST", f"{path}&dry_run=true", content=body)

    if status == 202:
        assert (done(response, 202)["all"], again.status_code) == (1, 200)
    else:
        refused(response, status, code)
        refused(again, status, code)


async def test_a_directory_or_lines_that_are_too_large_are_refused(
    ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await ana.project()
    path = f"/project/{project['id']}/import?format=zip"
    many = packed(A, **{f"{n}" * 40: b"" for n in range(10, 99)})
    bomb = packed({"id": "a", "title": "A", "key": "0" * 1_000_000})

    monkeypatch.setattr("api.exchange.tasks.archive.DIRECTORY_BYTES_MAX", 5_000)
    refused(await ana.ask("POST", path, content=many), 422, "malformed_file")
    monkeypatch.setattr("api.exchange.tasks.archive.LINES_BYTES_MAX", 500_000)
    refused(await ana.ask("POST", path, content=bomb), 413, "body_too_large")
    monkeypatch.setattr("api.exchange.task_import.ARCHIVE_BYTES_MAX", 100)
    refused(await ana.ask("POST", path, content=packed(A)), 413, "body_too_large")
