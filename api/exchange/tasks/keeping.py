"""The file of an import that goes on behind its answer, kept so that it can be resumed.

It is in the store of files under the id of its import, from where whoever sweeps it takes what no
attachment has after a day; an import that is done takes it away at once.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from typing import IO

import msgspec
from msgspec import Struct

from api.exchange.tasks.mapping import Mapping
from files.store import PIECE_BYTES, FileKey, FileMissing, FileStore, FilesUnavailable
from security.api_keys import PresentedKey
from security.tokens import AccessClaims

_logger = logging.getLogger(__name__)


class Beginner(Struct, frozen=True):
    """Who began an import, by the access token or the API key that they sent, and from where.

    It lets nobody in: of the token there are only the claims, of the key only its keyed hash.
    """

    claims: AccessClaims | None
    key: PresentedKey | None
    ip: str | None
    user_agent: str | None


class FileForm(Struct, frozen=True):
    """The format of a file, what the names in it are here, and who began to import it."""

    format: str
    names: Mapping
    beginner: Beginner | None = None
    updates: bool = False
    """Whether tasks that are there are changed to what the file says."""


_encode = msgspec.json.Encoder().encode
_form = msgspec.json.Decoder(FileForm).decode


async def keep(files: FileStore, key: FileKey, form: FileForm, file: IO[bytes]) -> None:
    """Keep *file*, if its store is there: an import that cannot be resumed is better than none."""
    try:
        await files.put(key, _content(form, file))
    except FilesUnavailable as error:
        _logger.warning("an import will not be resumable: %s", error)


async def _content(form: FileForm, file: IO[bytes]) -> AsyncIterator[bytes]:
    yield _encode(form) + b"\n"
    file.seek(0)
    while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
        yield piece


async def kept(files: FileStore, key: FileKey) -> tuple[FileForm, IO[bytes]]:
    """Return a file that was kept, and its form; whoever asks closes it.

    :raises FileMissing: it was not kept, or no longer.
    :raises FilesUnavailable: the store does not answer.
    """
    size, head = await files.size(key), b""
    form: FileForm | None = None
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        async for piece in files.read(key, 0, size):
            if form is None:
                begin, end, rest = (head + piece).partition(b"\n")
                if not end:
                    head = begin
                    continue
                form, piece = _form(begin), rest  # noqa: PLW2901 - what is behind the form
            await asyncio.to_thread(file.write, piece)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    if form is None:  # nothing of ours is there
        file.close()
        raise FileMissing(key.path)
    return form, file


async def give_up_file(files: FileStore, key: FileKey) -> None:
    """Take a file away that is needed no more; if that fails, its sweep does it."""
    try:
        await files.remove(key)
    except FilesUnavailable as error:
        _logger.warning("the file of an import stays for a day: %s", error)
