"""The demo organization that ``up`` creates on its first start, through the HTTP API."""

from pathlib import Path

from cli.story.acme import Acme

DEMO_EMAIL = "ana@acme.example"
DEMO_PASSWORD = "violet tractor nine moons"  # noqa: S105  printed on purpose
SEEDED_FILE = "demo.json"


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
            Acme(http, DEMO_EMAIL, DEMO_PASSWORD).fill()
    mark.write_text("{}\n")
