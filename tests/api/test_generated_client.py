"""A client that a generator made from the description works with the real server."""

import importlib
import json
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from litestar import Litestar

from tests.api.connection.serving import serving
from tests.api.stage import PASSWORD, unique
from tools.http import description

NAME = "generated_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Generate the client and make it importable."""
    # Here, because the generator takes a third of a second to import, and no unit test needs it.
    from openapi_python_client import generate
    from openapi_python_client.config import Config, ConfigFile, MetaType

    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(description()))
    config = Config.from_sources(
        ConfigFile(post_hooks=[], content_type_overrides={"application/jsonl": "text/plain"}),
        MetaType.NONE,
        document_source=folder / "openapi.json",
        file_encoding="utf-8",
        overwrite=False,
        output_path=folder / NAME,
    )
    faults = generate(config=config)
    assert [fault.detail for fault in faults] == []
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{NAME}.{name}")


async def _ask(operation: str, client: Any, status: int, *path: Any, **about: Any) -> Any:
    """Call a generated operation such as ``tasks.create_task``."""
    answer = await _module(f"api.{operation}").asyncio_detailed(*path, client=client, **about)
    assert answer.status_code == HTTPStatus(status), answer
    return answer.parsed


async def test_ten_calls_of_a_generated_client_work(app: Litestar, generated: Path) -> None:
    models = _module("models")
    email, subdomain = f"{unique('g')}@example.com", unique("g")[:30]
    async with serving(app) as served:
        base = f"http://127.0.0.1:{served.port}"
        organization = models.NewOrganization(name="Acme", subdomain=subdomain)
        registration = models.Registration(
            email=email, password=PASSWORD, name="Gil", organization=organization
        )
        async with _module("client").Client(base_url=base) as client:
            await _ask("authentication.register", client, 201, body=registration)
            login = models.Login(email=email, password=PASSWORD)
            tokens = await _ask("authentication.login", client, 200, body=login)
        authenticated = _module("client").AuthenticatedClient
        async with authenticated(base_url=base, token=tokens.access_token) as client:
            me = await _ask("account.get_me", client, 200)
            body = models.NewProject(key="GEN", name="Generated")
            project = await _ask("projects.create_project", client, 201, body=body)
            new = models.NewTask(title="Oil it", priority=models.Priority.HIGH)
            would = await _ask("tasks.create_task", client, 200, project.id, body=new, dry_run=True)
            task = await _ask("tasks.create_task", client, 201, project.id, body=new)
            started = models.Move(status="IN_PROGRESS")
            moved = await _ask("tasks.change_task_status", client, 200, task.key, body=started)
            listed = await _ask("tasks.list_tasks", client, 200, project.id)
            refused = await _ask("projects.create_project", client, 409, body=body)
            events = await _ask("audit.list_audit_events", client, 200, limit=1)
            await _ask("tasks.remove_task", client, 204, task.key)

    assert me.email == email
    assert would.events[0].type_ == "task.created"
    assert (task.priority, moved.status) == (models.Priority.HIGH, "IN_PROGRESS")
    assert [one.key for one in listed.items] == ["GEN-1"]
    assert refused.code == "project_key_taken"
    assert events.items[0].command == "ChangeTaskStatus"
