"""Goes on with imports that stopped: on request, or because their process ended.

Every process of the API looks now and then for imports that nobody runs, and goes on for whoever
began them, if their session or API key is still good and still grants it.
"""

import asyncio
import logging
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import IO, Any, ClassVar
from uuid import UUID

from litestar import Response

from api.exchange.tasks.import_lease import ImportLease, ImportLost
from api.exchange.tasks.keeping import Beginner, FileForm, kept
from api.exchange.tasks.progress import INTERRUPTED, ImportJournal
from api.exchange.tasks.starting import go_on, open_file
from api.http.client_info import SCOPE_KEY, ClientInfo
from api.http.policy import POLICY
from api.http.problem import Problem
from api.http.request import ApiRequest
from api.http.state import ApiState
from api.work.sight import project_here
from domain.base import DomainError, NotFound, OrgId, ProjectId
from domain.permission import Permission
from eventstore.append import ConcurrencyConflict
from eventstore.operations.records import ImportProgress, ImportState
from files.store import FileKey, FileMissing, FilesUnavailable
from runtime.outages import StoreOutage

_LOOK_EACH_S = 10.0
"""How often a process looks for imports that nobody runs."""
FILES_KEPT = timedelta(hours=24)
"""How long the file of an import is kept."""

_logger = logging.getLogger(__name__)


async def resume(request: ApiRequest, found: ImportProgress, lease: ImportLease) -> Response[bytes]:
    """Go on with an import for the caller, from the file that was kept.

    :raises DomainError: the caller does not see the project, or it takes no tasks.
    :raises Problem: it is done, or another process goes on with it, or its file is gone.
    """
    project_id = await _project(request, found)
    if found.state is ImportState.DONE or not await lease.take():
        raise Problem(409, "import_not_stopped", "This import goes on, or is done.")
    try:
        with ExitStack() as held:
            held.enter_context(request.api.upload_places.taken(request.caller.user_id))
            form, body = await _kept(request.api, found)
            opened = await open_file(project_id, form, held.enter_context(body), held)
            return await go_on(request, opened, found, lease)
    except BaseException:
        await lease.drop()
        raise


async def _project(request: ApiRequest, found: ImportProgress) -> ProjectId:
    project_id = ProjectId(UUID(found.project))
    (await project_here(request, project_id)).state.refuse_unless_takes_tasks()
    return project_id


class InterruptedImports:
    """The imports whose process ended, as a process of the API that still runs sees them."""

    def __init__(self, requests: type[ApiRequest]) -> None:
        self._requests, self._api = requests, requests.api
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for them."""
        self._looking = asyncio.create_task(self._run(), name="go on with imports")

    async def close(self) -> None:
        """End looking for them; those that this process goes on with end with its other work."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EACH_S)
            try:
                await self.go_on()
            except StoreOutage as error:
                _logger.warning("interrupted imports wait: %s", error)

    async def go_on(self) -> None:
        """Go on with every import that no process runs; one that cannot go on stops.

        :raises LogUnavailable: the stores do not answer.
        """
        system = self._api.system
        for each in await system.operations.imports_running(system.clock() - FILES_KEPT):
            lease = ImportLease(system.operations, each.id)
            if await lease.take():
                with suppress(ImportLost):
                    await self._go_on(each, lease)

    async def _go_on(self, found: ImportProgress, lease: ImportLease) -> None:
        system = self._api.system
        try:
            now = await system.operations.import_of(found.org, found.id)
            if now is not None and now.state is ImportState.RUNNING:
                _logger.info("going on with the import %s", found.id)
                await self._take_over(now, lease)
                return
        except (FilesUnavailable, ConcurrencyConflict, ImportLost) as error:
            _logger.warning("the import %s waits: %s", found.id, error)
        except (DomainError, Problem) as refused:
            if not (isinstance(refused, Problem) and refused.status == 503):
                await ImportJournal(system, found, lease).end(refused.code)
        except StoreOutage:
            raise
        except Exception:  # the others must go on, and this one is not tried again
            _logger.exception("the import %s does not go on", found.id)
            await ImportJournal(system, found, lease).end(INTERRUPTED)
        await lease.drop()

    async def _take_over(self, found: ImportProgress, lease: ImportLease) -> None:
        form, body = await _kept(self._api, found)
        with ExitStack() as held:
            held.enter_context(body)
            request = await self._request(form.beginner, found)
            project_id = await _project(request, found)
            held.enter_context(self._api.upload_places.taken(request.caller.user_id))
            opened = await open_file(project_id, form, body, held)
            await go_on(request, opened, found, lease)

    async def _request(self, beginner: Beginner | None, found: ImportProgress) -> ApiRequest:
        """Return a request to go on with an import, by whoever began it.

        :raises Problem: it is not known who did, or they are not logged in any more.
        :raises DomainError: they may not create tasks any more, or work elsewhere.
        """
        if beginner is None:
            raise _file_gone()
        request = _standing_for(self._requests, beginner, found.correlation_id)
        await request.identify(fresh=True)
        if str(request.organization) != found.org:
            raise NotFound
        request.caller.refuse_unless_may(Permission.TASK_CREATE)
        return request


class _Route:
    """Stands for the route of a request that nobody sent."""

    opt: ClassVar[dict[str, Any]] = {POLICY: Permission.TASK_CREATE}


def _standing_for(
    requests: type[ApiRequest], beginner: Beginner, correlation_id: str
) -> ApiRequest:
    info = ClientInfo(correlation_id, beginner.ip, beginner.user_agent, {})
    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": "/api/import",
        "query_string": b"",
        "headers": [],
        "path_params": {},
        "route_handler": _Route(),
        SCOPE_KEY: info,
    }
    request = requests(scope)
    request.api_key = beginner.key
    if beginner.claims is not None:
        request.claims = beginner.claims
    return request


async def _kept(api: ApiState, found: ImportProgress) -> tuple[FileForm, IO[bytes]]:
    try:
        return await kept(api.files, FileKey(OrgId(UUID(found.org)), UUID(found.id)))
    except FileMissing:
        raise _file_gone() from None


def _file_gone() -> Problem:
    detail = "The file of this import is not kept any more. Send it again."
    return Problem(410, "import_file_gone", detail)
