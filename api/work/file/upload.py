"""Takes a file: refused as early as possible, stored, and only then recorded.

The order is what keeps a promise: an attachment in the log has its file. What is stored and not
recorded is removed at once or, if nobody knows whether it was recorded, by the sweep
(``workers/file_sweep.py``).
"""

import logging
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from api.http.caller import Caller
from api.http.problem import Problem
from api.http.request import ApiRequest
from api.http.response import ApiResponse, id_in
from api.http.run_command import Reply, as_caller, run_command
from api.upload import Upload
from api.work.file.measured import MeasuredContent
from commands.base import Context
from commands.receipt import Receipt
from commands.work.attachment import AttachFile
from domain.base import AttachmentId, DomainError, TaskId
from domain.identity.plan import PlanLimitReached
from domain.work.attachment import Attachment, ScanState
from eventstore.append import ConcurrencyConflict
from eventstore.identifiers import new_id
from files.media_type import ANYTHING
from files.name import name_in
from files.store import FileKey, FilesUnavailable
from projections.work.attachment import render_attachment

_UNKNOWN = "0" * 64
_logger = logging.getLogger(__name__)


async def attach_file(request: ApiRequest, task_id: TaskId) -> ApiResponse:
    """Store the body as a file, record it as an attachment of a task, and return that.

    :raises Problem: 411, 413, 415: the body is none of a file.
    :raises DomainError: a rule refuses it; nothing is left behind.
    :raises FilesUnavailable: it cannot be stored.
    """
    upload, declared = _upload_of(request), request.client_info.header(b"content-type")
    scanned = bool(request.api.system.settings.scan_hook)
    command = AttachFile(
        attachment_id=AttachmentId(new_id()),
        task_id=task_id,
        name=name_in(request.client_info.header(b"content-disposition")),
        media_type=ANYTHING,
        size=upload.promised,
        sha256=_UNKNOWN,
        state=ScanState.PENDING if scanned else ScanState.CLEAN,
    )
    await _refuse_early(request, command)
    content = MeasuredContent(upload.pieces(), declared)
    with request.api.upload_places.taken(request.caller.user_id):
        if request.is_dry_run():
            async for _ in content.pieces():
                pass
        else:
            await request.api.files.put(_key_of(request, command), content.pieces())
    command = replace(command, media_type=content.media_type, sha256=content.sha256)
    # A retry under the same Idempotency-Key has to bring the same file.
    request.client_info.body = f"{content.sha256} {content.media_type} {command.name}".encode()
    return await _record(request, command)


def _upload_of(request: ApiRequest) -> Upload:
    upload = request.client_info.upload
    if upload is None:
        detail = "Send the size of the file in Content-Length."
        raise Problem(411, "length_required", detail)
    declared = request.client_info.headers.get(b"content-type", b"").lower()
    if declared.startswith(b"multipart/"):
        detail = "Send the file itself as the body, its name in Content-Disposition."
        raise Problem(415, "unsupported_media_type", detail)
    return upload


async def _refuse_early(request: ApiRequest, command: AttachFile) -> None:
    """Refuse what would be refused anyway, before the file is sent.

    A retry is let through although the plan has no room: its file is stored already.
    """

    async def rehearse(caller: Caller) -> tuple[Receipt, Context]:
        asked = request.context(caller)
        context = replace(asked, idempotency=None, dry_run=True)
        try:
            return await request.api.system.commands.handle(command, context), context
        except PlanLimitReached as refused:
            if asked.idempotency is None or refused.details.get("what") == "file_bytes":
                raise
            return Receipt(position=None, positions={}, states={}, events=[]), context

    await as_caller(request, rehearse)


async def _record(request: ApiRequest, command: AttachFile) -> ApiResponse:
    attachment_id = command.attachment_id

    def show(attachment: Attachment, version: int, at: datetime) -> bytes:
        return render_attachment(attachment_id, attachment, version, at)

    location = f"/api/task/{command.task_id}/attachments/{{id}}"
    reply = Reply(stream=attachment_id, show=show, status=201, location=location)
    try:
        response = await run_command(request, command, reply)
    except (DomainError, Problem, ConcurrencyConflict):
        await _remove(request, command)
        raise
    if not request.is_dry_run() and id_in(response.body) != str(attachment_id):
        await _remove(request, command)  # a reply was repeated: the file is there already
    return response


async def _remove(request: ApiRequest, command: AttachFile) -> None:
    try:
        await request.api.files.remove(_key_of(request, command))
    except FilesUnavailable as error:
        _logger.warning("the file of a refused upload is left to the sweep: %s", error)


def _key_of(request: ApiRequest, command: AttachFile) -> FileKey:
    return FileKey(request.organization, UUID(int=command.attachment_id.int))
