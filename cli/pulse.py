"""Pulse: asks the API of ``up`` regularly, to find processes that run but do not work."""

import http.client
import json
import time
import urllib.error
import urllib.request

ASK_EVERY_S = 5.0
ASK_S = 2.0
SILENT_MAX = 6
"""Unanswered requests in a row after which the API counts as hanging."""


class Pulse:
    """What the API of one instance reports about itself and the followers."""

    def __init__(self, url: str, instance: str) -> None:
        self._ask_at, self._url, self._instance = 0.0, f"{url}/api/health/ready", instance
        self._silent = 0

    def is_ready(self) -> bool:
        """Return whether our own API, and not another instance, reports that it is ready."""
        status, answer = self._answer()
        return status == http.client.OK and answer.get("instance") == self._instance

    def hanging(self) -> list[str]:
        """Return the processes that run but do not work; it asks only every few seconds."""
        now = time.monotonic()
        if now < self._ask_at:
            return []
        status, answer = self._answer()
        self._ask_at = time.monotonic() + ASK_EVERY_S
        self._silent = 0 if status else self._silent + 1
        if self._silent >= SILENT_MAX:
            self._silent = 0
            return ["serve"]
        checks = answer.get("checks")
        projector = checks.get("projector", "") if isinstance(checks, dict) else ""  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]  any JSON object
        return ["follow"] if str(projector).startswith("stalled") else []  # pyright: ignore[reportUnknownArgumentType]  any JSON value

    def _answer(self) -> tuple[int, dict[str, object]]:
        """Return the status and the body; the status is 0 without a response."""
        try:
            with urllib.request.urlopen(self._url, timeout=ASK_S) as answer:  # noqa: S310  our own address
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, _json(refused.read())
        except (OSError, http.client.HTTPException, ValueError):
            return 0, {}


def _json(body: bytes) -> dict[str, object]:
    try:
        found: object = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType]  any JSON object
