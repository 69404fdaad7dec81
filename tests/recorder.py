"""Records one exchange per operation as the example in the description (``make examples``).

Values that differ from run to run are replaced, so that recording again changes nothing.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx

FILE = Path(__file__).parents[1] / "api" / "description" / "examples.json"
ITEMS_MAX = 2
LINE_MAX = 200

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEXTS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"\bfl1\.[\w.-]+"), "fl1.sample"),
    (re.compile(r"tr_live_[0-9A-Za-z]{12,50}"), "tr_live_sample"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "2026-01-31T12:00:00Z"),
    (re.compile(r"[\w.-]+@example\.com", re.IGNORECASE), "ana@acme.example"),
    (re.compile(r'"at":\d{16}'), '"at":1769860800000000'),
    (re.compile(r"https?://(127\.0\.0\.1|localhost):\d+[\w/-]*"), "https://hooks.example.com/"),
]
_SECRET = re.compile(r"[A-Za-z0-9_+/=-]{43,}")
"""What is long and has no words: a digest, a signature, a key."""
_NAMED: dict[str, Any] = {
    "accessToken": "eyJhbGciOiJFZERTQSJ9.sample.token",
    "secret": "whsec_c2FtcGxl",
    "token": "sample-token",
    "last4": "wxyz",
    "challenge": "sample-challenge",
    "code": "123456",
    "recoveryCode": "abcd-efgh-ijkl-mnop",
    "recoveryCodes": ["abcd-efgh-ijkl-mnop", "qrst-uvwx-yz23-4567"],
    "uri": "otpauth://totp/Trackrecord:ana%40acme.example?secret=JBSWY3DPEHPK3PXP&issuer=Trackrecord",
    "nextCursor": "c2FtcGxl",
    "note": "acme.example/log\n3\nc2FtcGxl\n",
    "vkey": "acme.example/log+12345678+c2FtcGxl",
    "x": "c2FtcGxl",
    "kid": "c2FtcGxl",
    "disclosed": {"event.title": ["c2FtcGxl", "Oil the engine"]},
    "instance": "sample",
    "requestId": "sample",
    "correlationId": "sample",
    "subdomain": "acme",
    "ip": "192.0.2.7",
    "userAgent": "curl/8.5.0",
    "password": "violet tractor nine moons",
    "currentPassword": "violet tractor nine moons",
    "newPassword": "battery staple correct horse",
    "durationMs": 12,
    "tookMs": 12,
    "latencyMs": 12,
    "behind": {},
    "position": 31,
    "webhook-timestamp": "1769860800",
}


class Recorder:
    """Keeps the first successful exchange of each operation, in the order of the tests."""

    def __init__(self) -> None:
        self.on = "RECORD_EXAMPLES" in os.environ
        self._found: dict[str, Any] = {}

    def note(self, operation: str, request: httpx.Request, response: httpx.Response) -> None:
        """Keep an exchange, unless it is a dry run, a failure, of the past, or not the first."""
        good = response.is_success or response.status_code in (302, 303)
        if not self.on or operation in self._found or not good:
            return
        if request.method == "HEAD" or {"dry_run", "as_of"} & {*request.url.params}:
            return
        known: dict[str, str] = {}
        is_json = request.headers.get("content-type", "").endswith("json")
        body = request.content.decode() if is_json else ""
        sent = {"body": _plain(json.loads(body), "", known)} if body else {}
        self._found[operation] = {
            "request": {"path": _text(request.url.path, known), **sent},
            "response": {"status": response.status_code, **_content(response, known)},
        }

    def write(self) -> None:
        """Write what was found; what no test asked for this time keeps its example."""
        if not self.on:
            return
        before = json.loads(FILE.read_text()) if FILE.exists() else {}
        whole = {**before, **self._found}
        FILE.write_text(json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def _content(response: httpx.Response, known: dict[str, str]) -> dict[str, Any]:
    kind = response.headers.get("content-type", "").partition(";")[0]
    if not response.content:
        return {}
    if kind == "application/json":
        return {"type": kind, "body": _plain(response.json(), "", known)}
    first = response.text.partition("\n")[0]
    return {"type": kind, "body": _text(first, known)[:LINE_MAX] + "\n…"}


def _plain(value: Any, name: str, known: dict[str, str]) -> Any:
    if name == "secret" and isinstance(value, str) and not value.startswith("whsec_"):
        return "JBSWY3DPEHPK3PXP"
    if value is not None and name in _NAMED and not isinstance(value, bool):
        return _NAMED[name]
    if isinstance(value, dict):
        return {key: _plain(part, key, known) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part, "", known) for part in value[:ITEMS_MAX]]
    return _text(value, known) if isinstance(value, str) else value


def _text(text: str, known: dict[str, str]) -> str:
    """Replace ids by samples, the same id by the same sample, and what else differs."""
    for found in _UUID.findall(text):
        known.setdefault(found, f"01900000-0000-7000-8000-{len(known) + 1:012}")
        text = text.replace(found, known[found])
    for pattern, sample in _TEXTS:
        text = pattern.sub(sample, text)
    return text if text.startswith("/api/") else _SECRET.sub("c2FtcGxl", text)


RECORDER = Recorder()
