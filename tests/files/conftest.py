"""Every file store, each with nothing in it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from devstack.server import Server
from files.directory import DirectoryFiles
from files.s3 import S3Files
from files.store import FileStore
from tests.files.s3_server import make_bucket, s3_server

DEADLINE_S = 10.0


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with s3_server(tmp_path_factory.mktemp("s3") / "server") as server:
        yield server


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.servers)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FileStore]:
    opened: FileStore
    if request.param == "directory":
        opened = DirectoryFiles(tmp_path / "files", deadline_s=DEADLINE_S)
    else:
        server: Server = request.getfixturevalue("s3")
        opened = S3Files(make_bucket(server.url, f"b{uuid4().hex}"), deadline_s=DEADLINE_S)
    yield opened
    await opened.close()
