"""A webhook receiver as a customer would write it, with the official library."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError


class Receiver:
    """Verifies each request, refuses some on purpose, and keeps what it accepted."""

    def __init__(self) -> None:
        self.secret = ""
        self.refuse_next = 0
        self.refused: list[str] = []
        self.forged = 0
        self.accepted: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(receiver.receive(body, dict(self.headers)))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  stdlib's name
                """Log nothing: the story prints the result."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def receive(self, body: bytes, headers: dict[str, str]) -> int:
        """Return the status for a request: 200, 500 on purpose, or 401 if it is forged."""
        lower = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            try:
                Webhook(self.secret).verify(body, lower)
            except WebhookVerificationError:
                self.forged += 1
                return 401
            if self.refuse_next:
                self.refuse_next -= 1
                self.refused.append(lower["webhook-id"])
                return 500
            self.accepted.append(json.loads(body))
            return 200
