"""Keeps the body of an import in a temporary file, so that it is whole before anything is done.

A client that sends and reads at the same time could wait for us while we wait for it.
"""

import asyncio
import codecs
import tempfile
from collections.abc import AsyncIterator
from typing import IO

from api.http.problem import Problem, malformed
from api.http.request import ApiRequest
from api.upload import Upload

IMPORT_BYTES_MAX = 64 * 1024 * 1024
"""Of plain lines and tables."""
ARCHIVE_BYTES_MAX = 2 * 1024 * 1024 * 1024
"""Of an archive, which may have to be on the disk as often as there are places for uploads."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def upload_of(request: ApiRequest, bytes_max: int) -> Upload:
    """Return the body of an import before it is read; it may have *bytes_max* bytes.

    :raises Problem: its length is not known, or it is too long, or compressed.
    """
    upload = request.client_info.upload
    if upload is None:
        raise Problem(411, "length_required", "Send the size of the file in Content-Length.")
    if upload.promised > bytes_max:
        detail = f"A body in this format can have {bytes_max >> 20:,} MiB. Send it in parts."
        raise Problem(413, "body_too_large", detail, details={"limit": bytes_max})
    if request.client_info.headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Problem(415, "unsupported_encoding", "Send the body without Content-Encoding.")
    return upload


async def spooled(upload: Upload, *, is_text: bool) -> IO[bytes]:
    """Return the body; a text is in UTF-8 then, without its byte order mark.

    :raises Problem: a text is neither UTF-8 nor, with a byte order mark, UTF-16.
    :raises UploadCutOff: the client disconnected; other errors as ``Upload.pieces``.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    pieces = _in_utf8(upload) if is_text else upload.pieces()
    try:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)
        file.seek(0)
    except UnicodeDecodeError:
        file.close()
        raise malformed("Send the file in UTF-8 or, with a byte order mark, in UTF-16.") from None
    except BaseException:
        file.close()
        raise
    return file


async def _in_utf8(upload: Upload) -> AsyncIterator[bytes]:
    decoder: codecs.IncrementalDecoder | None = None
    head = b""
    async for piece in upload.pieces():
        if decoder is None:
            head += piece
            if len(head) < len(codecs.BOM_UTF8) and not upload.ended:
                continue
            decoder, text = _begun(head)
        else:
            text = decoder.decode(piece)
        yield text.encode()
    if decoder is not None:
        yield decoder.decode(b"", final=True).encode()


def _begun(head: bytes) -> tuple[codecs.IncrementalDecoder, str]:
    """Return the decoder of a text that begins with *head*, and that beginning."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            decoder = codecs.getincrementaldecoder(encoding)()
            return decoder, decoder.decode(head[len(mark) :])
    decoder = codecs.getincrementaldecoder("utf-8")()
    return decoder, decoder.decode(head)
