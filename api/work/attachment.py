"""HTTP routes of attachments."""

from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from msgspec import Struct

from api.http.paging import LIMIT_DEFAULT, Paging, one, wait_for_own_writes
from api.http.parameters import (
    ANY_TYPE,
    Cursor,
    Limit,
    Page,
    nothing,
    shows,
    shows_file,
    shows_part,
)
from api.http.policy import needs, public
from api.http.problem import not_found
from api.http.request import ApiRequest
from api.http.response import ApiResponse
from api.http.run_command import Reply, run_command
from api.work.file.content import file_response
from api.work.file.upload import attach_file
from api.work.task_key import TaskRef, task_here, task_id_of
from commands.base import NotForApiKeys
from commands.sight import sees_project
from commands.states import Loaded
from commands.work.attachment import DeleteAttachment, RestoreAttachment
from commands.work.task_tree import trashed_above
from domain.base import AttachmentId, NotFound, OrgId, State, TaskId, UserId
from domain.identity.organization.state import Organization
from domain.identity.plan import PlanLimitReached
from domain.permission import Permission, is_allowed
from domain.work.attachment import Attachment, FileInfected, ScanPending
from domain.work.project.errors import ProjectIsArchived
from domain.work.project.state import Project
from domain.work.task.errors import ParentInTrash
from domain.work.task.state import Task
from files.download_links import LINK_LIFETIME, DownloadLink, mint_link, read_link
from files.store import FileKey
from projections.work.attachment import AttachmentView, attachments_of, render_attachment

S = TypeVar("S", bound=State)

_encode = msgspec.json.Encoder().encode
_FILE_HEADERS = ("Content-Disposition", "ETag", "Accept-Ranges", "Content-Range")
_NOT_GIVEN_OUT = (ScanPending, FileInfected)
_NO_CONTENT = (*_NOT_GIVEN_OUT, (416, "range_not_satisfiable"), (503, "file_missing"))


class LinkView(Struct, frozen=True, rename="camel"):
    """A link that gives out one file to whoever has it: a path of this API."""

    url: str
    expires_at: datetime


class AttachmentController(Controller):
    """The files of a task."""

    path = "/api/task/{task:str}/attachments"
    tags = ("Attachments",)

    @post(
        "/",
        opt=needs(
            Permission.ATTACHMENT_ADD,
            fails=(
                PlanLimitReached,
                ProjectIsArchived,
                (400, "malformed_request"),
                (408, "request_timeout"),
                (411, "length_required"),
                (415, "type_mismatch"),
                (503, "busy"),
            ),
            streams=True,
        ),
        responses=shows(AttachmentView, 201),
    )
    async def create(self, request: ApiRequest, task: TaskRef) -> ApiResponse:
        """Attach a file, sent as the body; its name is in Content-Disposition."""
        return await attach_file(request, await task_id_of(request, task))

    @get("/", opt=needs(Permission.TASK_READ), responses=shows(Page[AttachmentView]))
    async def list_attachments(
        self,
        request: ApiRequest,
        task: TaskRef,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> ApiResponse:
        """List the files of a task, oldest first."""
        task_id = await task_id_of(request, task)
        await task_here(request, task_id)
        paging = Paging(request)
        after = paging.key(cursor)
        await wait_for_own_writes(request, "attachments")
        page = await attachments_of(request.api.models, request.organization, task_id, limit, after)
        return paging.answer(page, limit)

    @get("/{attachment_id:uuid}", opt=needs(Permission.TASK_READ), responses=shows(AttachmentView))
    async def get_attachment(
        self, request: ApiRequest, task: TaskRef, attachment_id: FromPath[UUID]
    ) -> ApiResponse:
        """Return what is known about a file."""
        found = await _attachment_here(request, await task_id_of(request, task), attachment_id)
        return one(request, found, partial(render_attachment, attachment_id))

    @get(
        "/{attachment_id:uuid}/content",
        opt=needs(Permission.TASK_READ, fails=_NO_CONTENT, sends=_FILE_HEADERS),
        responses=shows_file("The file", ANY_TYPE) | shows_part(),
    )
    async def get_attachment_content(
        self, request: ApiRequest, task: TaskRef, attachment_id: FromPath[UUID]
    ) -> ASGIResponse:
        """Download a file, or with Range a part of it. A browser saves it and never shows it."""
        found = await _attachment_here(request, await task_id_of(request, task), attachment_id)
        key = FileKey(request.organization, attachment_id)
        return file_response(request.client_info, request.api.files, key, found.state)

    @get(
        "/{attachment_id:uuid}/link",
        opt=needs(Permission.TASK_READ, fails=(NotForApiKeys, *_NOT_GIVEN_OUT)),
        responses=shows(LinkView),
    )
    async def get_attachment_link(
        self, request: ApiRequest, task: TaskRef, attachment_id: FromPath[UUID]
    ) -> ApiResponse:
        """Return a link that downloads a file without a token, for five minutes.

        It works only while you may see the task.
        """
        found = await _attachment_here(request, await task_id_of(request, task), attachment_id)
        found.state.refuse_to_give_out()
        if request.caller.key is not None:
            raise NotForApiKeys  # a key downloads the file itself
        system = request.api.system
        until = (system.clock() + LINK_LIFETIME).replace(microsecond=0)
        link = DownloadLink(request.organization, attachment_id, request.caller.user_id)
        token = mint_link(request.api.download_links, link, until)
        return ApiResponse(_encode(LinkView(f"/api/file/{token}", until)))

    @delete(
        "/{attachment_id:uuid}",
        status_code=200,
        opt=needs(Permission.ATTACHMENT_ADD, fails=(ProjectIsArchived,)),
        responses=nothing(),
    )
    async def remove(
        self, request: ApiRequest, task: TaskRef, attachment_id: FromPath[UUID]
    ) -> ApiResponse:
        """Move a file to the trash: your own or, if your role allows it, anybody's."""
        command = DeleteAttachment(
            task_id=await task_id_of(request, task), attachment_id=AttachmentId(attachment_id)
        )
        return await run_command(request, command, Reply(stream=attachment_id))

    @post(
        "/{attachment_id:uuid}/restore",
        status_code=200,
        opt=needs(
            Permission.ATTACHMENT_ADD, fails=(ParentInTrash, PlanLimitReached, ProjectIsArchived)
        ),
        responses=shows(AttachmentView),
    )
    async def restore(
        self, request: ApiRequest, task: TaskRef, attachment_id: FromPath[UUID]
    ) -> ApiResponse:
        """Restore a file from the trash. You restore what you deleted yourself."""
        command = RestoreAttachment(
            task_id=await task_id_of(request, task), attachment_id=AttachmentId(attachment_id)
        )

        def show(attachment: Attachment, version: int, at: datetime) -> bytes:
            return render_attachment(attachment_id, attachment, version, at)

        return await run_command(request, command, Reply(stream=attachment_id, show=show))


class FileController(Controller):
    """Files, by links that were made for somebody who may see them."""

    path = "/api/file/{token:str}"
    tags = ("Attachments",)

    @get(
        "/",
        opt=public(fails=(NotFound, *_NO_CONTENT), sends=_FILE_HEADERS),
        responses=shows_file("The file", ANY_TYPE) | shows_part(),
    )
    async def get_file(self, request: ApiRequest, token: FromPath[str]) -> ASGIResponse:
        """Download the file that a link leads to, while its owner may see the task."""
        system = request.api.system
        link = read_link(request.api.download_links, token, system.clock())
        if link is None:
            raise not_found()
        org_id, states = OrgId(link.org_id), system.commands.states
        organization = await states.fresh(Organization, org_id, org_id)
        role = organization.role_of(UserId(link.user_id))
        if not is_allowed(role, Permission.TASK_READ):
            raise not_found()
        attachment = await states.fresh(Attachment, link.attachment_id, org_id)
        task = await states.fresh(Task, attachment.refuse_unless_here(), org_id)
        task.refuse_unless_here()
        project = await states.fresh(Project, task.project_id or org_id, org_id)
        project.refuse_unless_here()

        async def read(kind: type[S], stream: UUID, /) -> S:
            return await states.fresh(kind, stream, org_id)

        if await trashed_above(read, task) is not None:
            raise not_found()
        if not await sees_project(read, org_id, UserId(link.user_id), project):
            raise not_found()
        key = FileKey(org_id, link.attachment_id)
        return file_response(request.client_info, request.api.files, key, attachment)


async def _attachment_here(
    request: ApiRequest, task_id: TaskId, attachment_id: UUID
) -> Loaded[Attachment]:
    """Return an attachment of a task as it is now.

    :raises NotFound: it, the task or the project is missing or deleted.
    """
    await task_here(request, task_id)
    found = await request.newest(Attachment, attachment_id)
    found.state.refuse_unless_here()
    if found.state.task_id != task_id:
        raise NotFound
    return found
