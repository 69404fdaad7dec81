"""A server that speaks the protocol of S3, as a process of its own."""

import sys
import urllib.request
from pathlib import Path

from devstack.port import HOST, HeldPort
from devstack.server import Server

_PING_TIMEOUT_S = 2.0


def s3_server(data_dir: Path, port: int | None = None) -> Server:
    """Return moto's server, which keeps buckets in memory."""
    held = HeldPort(port)
    url = f"http://{HOST}:{int(held)}"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{url}/moto-api/", timeout=_PING_TIMEOUT_S):  # noqa: S310 - our own server
                return True
        except OSError:
            return False

    return Server(
        name="s3",
        engine="moto",
        url=url,
        argv=[sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(int(held))],
        data_dir=data_dir,
        port=held,
        prepare=lambda: data_dir.mkdir(parents=True, exist_ok=True),
        ping=answers,
    )


def make_bucket(url: str, name: str) -> str:
    """Make a bucket and return its address as in ``FILES_URL``."""
    request = urllib.request.Request(f"{url}/{name}", method="PUT")  # noqa: S310 - our own server
    request.add_header("authorization", "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/a")
    with urllib.request.urlopen(request, timeout=_PING_TIMEOUT_S):  # noqa: S310 - our own server
        return f"s3://key:secret@{name}/of/us?endpoint={url}&region=us-east-1"
