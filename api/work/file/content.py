"""Gives out the contents of a file so that no browser shows or runs them (RFC 9110, section 14)."""

import re
from collections.abc import AsyncIterator

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from api.http.client_info import ClientInfo
from api.http.conditions import is_known
from api.http.problem import Problem
from domain.work.attachment import Attachment
from files.name import disposition_of
from files.store import FileKey, FileStore

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class FileResponse(ASGIResponse):
    """A file, or a part of it, sent as fast as the client reads it."""

    def __init__(  # pyright: ignore[reportMissingSuperCall]  # the base class renders what is rendered already
        self, status: int, headers: list[tuple[bytes, bytes]], content: AsyncIterator[bytes]
    ) -> None:
        self.status_code, self.raw, self._content = status, headers, content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Before the head, so that a store that is down is still a 503.
        piece = await anext(self._content, b"")
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw})
        while piece:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await anext(self._content, b"")
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def file_response(
    info: ClientInfo, files: FileStore, key: FileKey, attachment: Attachment
) -> FileResponse:
    """Return the response with the contents of *attachment*, or the part that a Range asks for.

    :raises DomainError: they are not given out.
    :raises Problem: 416 for a range that begins behind the end.
    """
    attachment.refuse_to_give_out()
    tag = f'"{attachment.sha256}"'.encode()
    headers = [
        (b"etag", tag),
        (b"accept-ranges", b"bytes"),
        (b"content-disposition", disposition_of(attachment.name).encode()),
        (b"content-security-policy", b"sandbox; default-src 'none'; frame-ancestors 'none'"),
        (b"cache-control", b"private, no-cache"),
    ]
    known = info.headers.get(b"if-none-match")
    if known is not None and is_known(known, tag):
        return FileResponse(304, headers, _nothing())
    size, part = attachment.size, None
    if info.headers.get(b"if-range", tag) == tag:
        part = _part(info.header(b"range"), size)
    start, end = part or (0, size)
    headers.append((b"content-type", attachment.media_type.encode()))
    headers.append((b"content-length", b"%d" % (end - start)))
    if part is not None:
        headers.append((b"content-range", b"bytes %d-%d/%d" % (start, end - 1, size)))
    content = _nothing() if info.head_only else files.read(key, start, end)
    return FileResponse(200 if part is None else 206, headers, content)


def _part(asked: str | None, size: int) -> tuple[int, int] | None:
    """Return the start and the end of the part that is *asked* for, None for the whole file.

    Several ranges, and units other than bytes, are ignored, as is allowed.

    :raises Problem: 416: there is no such part.
    """
    match = None if asked is None else _RANGE.fullmatch(asked)
    if match is None or not (match[1] or match[2]):
        return None
    if match[1]:
        start, end = int(match[1]), min(int(match[2]) + 1 if match[2] else size, size)
        if match[2] and int(match[2]) < int(match[1]):
            return None  # invalid, and so ignored
    else:
        start, end = max(size - int(match[2]), 0), size
    if start >= end:
        raise Problem(
            416,
            "range_not_satisfiable",
            "The file has no such part. `size` is its size in bytes.",
            details={"size": size},
            headers={"content-range": f"bytes */{size}"},
        )
    return start, end


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield
