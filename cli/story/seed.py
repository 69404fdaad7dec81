"""The demo organization that ``up`` creates on its first start, through the HTTP API."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # loading it takes longer than a start without a first login
    import httpx

DEMO_EMAIL = "ana@acme.example"
DEMO_PASSWORD = "violet tractor nine moons"  # noqa: S105  printed on purpose
SEEDED_FILE = "demo.json"

_TASKS = (
    ("Write the welcome page", "HIGH", "DONE"),
    ("Invite the design team", "MEDIUM", "IN_REVIEW"),
    ("Import tasks from the old tracker", "HIGH", "IN_PROGRESS"),
    ("Ask legal about the audit export", "URGENT", "IN_PROGRESS"),
    ("Choose colours for the status labels", "LOW", "CANCELLED"),
    ("Plan the first release", "MEDIUM", "TODO"),
)


def seed(base: str, data_dir: Path) -> None:
    """Create the demo organization unless this data directory already has it."""
    mark = data_dir / SEEDED_FILE
    if mark.exists():
        return
    import httpx  # noqa: PLC0415 - needed on the first start only

    with httpx.Client(base_url=f"{base}/api", timeout=30) as http:
        registered = http.post(
            "/auth/register",
            json={
                "email": DEMO_EMAIL,
                "password": DEMO_PASSWORD,
                "name": "Ana Demo",
                "organization": {"name": "Acme", "subdomain": "acme"},
            },
        )
        if registered.status_code != 409:
            registered.raise_for_status()
            _fill(http)
    mark.write_text("{}\n")


def _fill(http: "httpx.Client") -> None:
    login = _posted(http, "/auth/login", {"email": DEMO_EMAIL, "password": DEMO_PASSWORD})
    http.headers["authorization"] = f"Bearer {login['accessToken']}"
    organization = login["user"]["organizationId"]
    http.patch(f"/org/{organization}/plan", json={"plan": "PREMIUM"}).raise_for_status()
    project = _posted(http, "/project", {"key": "ENG", "name": "Engineering"})
    ids: list[str] = []
    for title, priority, status in _TASKS:
        asked = {"title": title, "priority": priority}
        task = _posted(http, f"/project/{project['id']}/tasks", asked)
        if status != "TODO":
            _posted(http, f"/task/{task['id']}/status?path=auto", {"status": status})
        ids.append(task["id"])
    legal, release = ids[3], ids[5]
    _posted(http, f"/task/{legal}/relations", {"kind": "blocks", "taskId": release})


def _posted(http: "httpx.Client", path: str, body: dict[str, Any]) -> Any:
    answer = http.post(path, json=body)
    answer.raise_for_status()
    return answer.json()
