"""Archives of work for tests: how they are exported, made and opened."""

import io
import json
from hashlib import sha256
from zipfile import ZIP_DEFLATED, ZipFile

from tests.api.exchange.task_files import in_lines
from tests.api.stage import Json, Person


async def archive_of(person: Person, project: Json) -> bytes:
    response = await person.get(f"/project/{project['id']}/export?format=zip")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["content-disposition"] == f'attachment; filename="{project["key"]}.zip"'
    return response.content


def unpacked(archive: bytes) -> tuple[list[Json], dict[str, bytes]]:
    """Return the lines of an archive, and the contents of its files by their paths."""
    with ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        files = {name: opened.read(name) for name in opened.namelist()}
    lines = files.pop("tasks.jsonl").decode().removesuffix("\n").split("\n")
    return [json.loads(line) for line in lines], files


def packed(*lines: Json, **files: bytes) -> bytes:
    """Return an archive of lines, and of files that are called after their arguments."""
    return packed_in(ZIP_DEFLATED, *lines, **files)


def packed_in(way: int, /, *lines: Json, **files: bytes) -> bytes:
    """Return the archive, packed in one of the ways that ZIP knows."""
    body = io.BytesIO()
    with ZipFile(body, "w", way) as archive:
        archive.writestr("tasks.jsonl", in_lines(*lines))
        for name, content in files.items():
            archive.writestr(name, content)
    return body.getvalue()


def file_line(key: str, content: bytes = b"oil", /, **about: object) -> Json:
    known = {"size": len(content), "sha256": sha256(content).hexdigest(), "path": key}
    return {"type": "file", "id": key, "task": "a", "name": f"{key}.txt", **known, **about}


A = {"id": "a", "title": "A"}
