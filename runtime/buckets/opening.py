"""Opens a bucket by its address.

That is ``s3://KEY:SECRET@bucket/prefix?endpoint=https://…&region=…``; without key and secret they
come from the environment or the machine's role, as for every program of AWS.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from obstore.store import S3Store


def open_bucket(url: str, deadline_s: float) -> S3Store:
    """Return the bucket at *url*; its server has *deadline_s* to connect and for each read."""
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    options: dict[str, Any] = {"region": given.get("region", "us-east-1")}
    if "endpoint" in given:
        options["endpoint"] = given["endpoint"]
    if parts.username:
        options["access_key_id"] = unquote(parts.username)
        options["secret_access_key"] = unquote(parts.password or "")
    limit = timedelta(seconds=deadline_s)
    return S3Store(
        parts.hostname or "",
        prefix=parts.path.strip("/") or None,
        client_options={
            "allow_http": given.get("endpoint", "").startswith("http://"),
            "connect_timeout": limit,
            "read_timeout": limit,
            "timeout": timedelta(hours=1),
        },
        retry_config={"max_retries": 2, "retry_timeout": limit},
        **options,
    )
