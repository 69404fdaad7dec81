"""An API process needs only the log to start, and for commands, logins and health."""

from pathlib import Path

import httpx
import pytest

from devstack.port import HOST, HeldPort
from tests.acceptance.test_limits import api

pytestmark = pytest.mark.acceptance
ACCOUNT = {"email": "ana@example.com", "password": "violet-tractor-9-moon"}


def test_an_api_starts_and_serves_while_read_models_and_redis_are_away(tmp_path: Path) -> None:
    nobody = int(HeldPort())  # which nothing listens on
    away = {
        "redis_url": f"redis://{HOST}:{nobody}/0",
        "MONGODB_URI": f"mongodb://{HOST}:{nobody}/?replicaSet=none",
    }
    organization = {"name": "Acme", "subdomain": "acme"}
    with api(tmp_path, **away) as url, httpx.Client(base_url=url, timeout=30) as client:
        body = {**ACCOUNT, "name": "Ana", "organization": organization}
        assert client.post("/auth/register", json=body).status_code == 201
        login = client.post("/auth/login", json=ACCOUNT)
        assert login.status_code == 200
        client.headers["authorization"] = f"Bearer {login.json()['accessToken']}"
        project = client.post("/project", json={"key": "ENG", "name": "Engine"})
        assert project.status_code == 201
        assert client.get(f"/project/{project.json()['id']}").json() == project.json()

        listed = client.get("/project")
        ready = client.get("/health/ready")

        assert listed.status_code == 503
        assert int(listed.headers["retry-after"]) > 0
        assert (ready.status_code, ready.json()["checks"]["eventLog"]) == (503, "ok")
        assert ready.json()["checks"]["readModels"] == "unavailable"
        assert client.get("/health").status_code == 200
