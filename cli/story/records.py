"""What only ADMINs of the demo organization see: a hold, a deleted project, a webhook."""

from cli.story.asking import Asker

_HOOK = {
    "url": "https://events.example.com/trackrecord",
    "events": ["task.*", "project.*"],
    "description": "Paused: nobody is there. It would receive what happens in HIRE, too",
    "privateProjects": True,
}


class Records:
    """Fills what only ADMINs see, as Ana, who ends where she began: in Acme."""

    def __init__(self, ana: Asker) -> None:
        self._ana = ana

    def fill(self) -> None:
        """Create everything; nothing is sent to anybody."""
        self._ana.patch("/inbox", digest=True)
        hook = self._ana.post("/webhook", _HOOK)["id"]
        self._ana.post(f"/webhook/{hook}/pause")
        self._throw_away("SHOW", "Trade fair", "Rent a stand")
        self._hold()

    def _throw_away(self, key: str, name: str, title: str) -> None:
        """Delete a project with a task in it."""
        project = self._ana.post("/project", {"key": key, "name": name})["id"]
        self._ana.post(f"/project/{project}/tasks", {"title": title})
        self._ana.delete(f"/project/{project}")

    def _hold(self) -> None:
        """Create a second organization, under a legal hold: nothing in its trash is purged."""
        acme = self._ana.organization
        asked = {"name": "Acme Records", "subdomain": "acme-records"}
        records = self._ana.post("/org", asked)["id"]
        self._ana.patch(f"/org/{records}/plan", plan="PREMIUM")
        self._throw_away("CASE", "Acme against Initech", "Find the contract")
        reason = {"reason": "A court has asked for all of it"}
        self._ana.put(f"/org/{records}/legal-hold", reason)
        self._ana.post("/auth/switch-organization", {"organizationId": acme})
