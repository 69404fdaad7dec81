"""Requests of one member of the demo organization to the HTTP API."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # loading it takes longer than a start without a first login
    import httpx


class Asker:
    """Somebody who is logged in: each method is one request, which must succeed."""

    def __init__(self, http: "httpx.Client", session: Any) -> None:
        """*session* is what a login or an accepted invitation has answered."""
        self._http = http
        self._headers = {"authorization": f"Bearer {session['accessToken']}"}
        self.id: str = session["user"]["id"]
        self.organization: str = session["user"]["organizationId"]

    def get(self, path: str) -> Any:
        """Return what something is now."""
        return self._ask("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """Create something, or have something done, and return what it is now."""
        return self._ask("POST", path, json=body or {})

    def patch(self, path: str, **changes: Any) -> Any:
        """Change something, and return what it is now."""
        return self._ask("PATCH", path, json=changes)

    def put(self, path: str, body: Any) -> Any:
        """Replace something, and return what it is now."""
        return self._ask("PUT", path, json=body)

    def delete(self, path: str) -> None:
        """Move something to the trash."""
        self._ask("DELETE", path)

    def attach(self, task: str, name: str, media_type: str, content: bytes) -> None:
        """Attach a file to a task."""
        named = f'attachment; filename="{name}"'
        headers = {"content-type": media_type, "content-disposition": named}
        self._send(f"/task/{task}/attachments", content, headers)

    def bring_in(self, project: str, lines: bytes) -> str:
        """Have the tasks of a file in JSON Lines imported; return the id of the import."""
        told = self._send(
            f"/project/{project}/import", lines, {"content-type": "application/jsonl"}
        )
        return str(told["importId"])

    def _send(self, path: str, content: bytes, headers: dict[str, str]) -> Any:
        return self._ask("POST", path, content=content, headers=headers)

    def _ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, **body: Any
    ) -> Any:
        named = self._headers | (headers or {})
        answer = self._http.request(method, path, headers=named, **body)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def logged_in(http: "httpx.Client", email: str, password: str) -> Asker:
    """Return a member who has just logged in."""
    answer = http.post("/auth/login", json={"email": email, "password": password})
    return Asker(http, answer.raise_for_status().json())


def newcomer(http: "httpx.Client", token: str, name: str, password: str) -> Asker:
    """Return somebody who has just accepted an invitation."""
    accepted = {"token": token, "name": name, "password": password}
    answer = http.post("/invitations/accept", json=accepted)
    return Asker(http, answer.raise_for_status().json())
