"""The header fields of responses, and which responses have them."""

from typing import Any

Json = dict[str, Any]


def _header(meaning: str, pattern: str | None = None, *, required: bool = False) -> Json:
    schema: Json = {"type": "string"} if pattern is None else {"type": "string", "pattern": pattern}
    return {"description": meaning, "required": required, "schema": schema}


HEADERS: dict[str, Json] = {
    "X-Request-Id": _header(
        "The id of the request, echoed if it was sent", "^[A-Za-z0-9._-]{1,64}$", required=True
    ),
    "X-Correlation-Id": _header(
        "By what the change can be undone: what was sent, or the id of the request",
        "^[A-Za-z0-9._-]{1,64}$",
    ),
    "RateLimit": _header("What the limit leaves, if the request was counted"),
    "RateLimit-Policy": _header("The limit, if the request was counted"),
    "ETag": _header(
        "The version of the resource, for If-Match, or the hash of a file", '^"[0-9a-f]{1,64}"$'
    ),
    "X-Position": _header("The position of the last event, for X-Min-Position", "^[0-9]+$"),
    "Idempotent-Replayed": _header("The response was stored under the Idempotency-Key", "^true$"),
    "Location": _header(
        "The path of the new resource, or where the browser goes",
        "^(/api/|https?://)",
        required=True,
    ),
    "Content-Location": _header("Where it is now, if the path has a former key", "^/api/"),
    "Link": _header('The next page, as `<…>; rel="next"`'),
    "Set-Cookie": _header("The refresh cookie, or that of a login which has begun"),
    "Content-Disposition": _header("The name of the file", required=True),
    "Accept-Ranges": _header("A part of the file can be asked for", "^bytes$"),
    "Content-Range": _header("Which part of the file this is, or its size", "^bytes .*$"),
    "X-Accel-Buffering": _header("Proxies pass the stream on at once", "^no$"),
    "WWW-Authenticate": _header("How to authenticate", "^Bearer$"),
    "Retry-After": _header("Seconds to wait before the next try", "^[1-9][0-9]*$"),
    "Accept": _header("The types that a body may have"),
    "Accept-Encoding": _header("The encodings that a body may have"),
}
_ALWAYS = ("X-Request-Id", "RateLimit", "RateLimit-Policy")
_OF_FAILURES = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    415: ("Accept", "Accept-Encoding"),
    416: ("Content-Range",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def with_headers(response: Json, names: tuple[str, ...] = ()) -> Json:
    """Return *response* with the header fields *names* and those of every response."""
    listed = {name: {"$ref": f"#/components/headers/{name}"} for name in (*_ALWAYS, *names)}
    return {**response, "headers": listed}


def failure_headers(status: int) -> tuple[str, ...]:
    """Return the names of the header fields of a problem with *status*."""
    return _OF_FAILURES.get(status, ())


def success_headers(status: int, schema: Json, *, reads: bool, account: bool) -> tuple[str, ...]:
    """Return the names of the header fields of a successful response.

    *schema* is what it shows; *account* says that the route is not public.
    """
    shown = schema.get("properties", {})
    names = ["ETag"] if "version" in shown and account else []
    if "nextCursor" in shown:
        names.append("Link")
    if not reads:
        names += ["X-Position", "X-Correlation-Id"]
        names += ["Idempotent-Replayed"] if account else []
    if (status == 201 and "id" in shown) or (status == 202 and "importId" in shown):
        names.append("Location")
    return tuple(names)
