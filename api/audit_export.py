"""What an export of the audit log sends, and that it is recorded."""

from collections.abc import AsyncIterator

from api.http.problem import FieldError, invalid
from api.http.rates import Asked
from api.http.request import ApiRequest
from audit.export import Selection, export_lines
from audit.ocsf.lines import export_ocsf
from audit.table import export_table
from commands.audit import ExportAudit
from domain.base import OrgId
from eventstore.log_reads import SEQUENCE_MAX
from runtime.system import System

EXPORT_TYPES = {"jsonl": "application/jsonl", "csv": "text/csv", "ocsf": "application/jsonl"}
"""The content type of each format; the framework adds the character set of text formats."""


async def selected_events(
    system: System, org_id: OrgId, first: int | None, last: int | None
) -> Selection:
    """Return the events from number *first* to *last*, as far as there are any.

    :raises Problem: 422 if there are none.
    """
    newest = await system.log.organization_head(org_id)
    selection = Selection(org_id=org_id, first=first or 1, last=min(last or SEQUENCE_MAX, newest))
    if selection.first > selection.last:
        raise invalid(FieldError("from", f"The log has only {newest} events"))
    return selection


async def recorded_export(
    request: ApiRequest, selection: Selection, export_format: str
) -> AsyncIterator[bytes]:
    """Record an export and return its content.

    :raises Problem: 409 if another one of the organization runs, 429 if there were too many.
    """
    system, org_id, exports = request.api.system, selection.org_id, request.api.exports
    await request.limit(Asked("export", org_id))
    place = await exports.begin(org_id)
    noted = ExportAudit(first=selection.first, last=selection.last, format=export_format)
    try:
        await system.commands.handle(noted, request.context(request.caller))
    except BaseException:
        await exports.end(org_id, place)
        raise
    return exports.sent(org_id, place, _content(system, selection, export_format))


async def nothing_exported() -> AsyncIterator[bytes]:
    """Return no content."""
    return
    yield


def _content(system: System, selection: Selection, export_format: str) -> AsyncIterator[bytes]:
    match export_format:
        case "csv":
            return export_table(system.log, selection)
        case "ocsf":
            return export_ocsf(system.log, selection)
        case _:
            return export_lines(system.log, system.tree_signer, selection, system.clock)


def as_attachment(selection: Selection, export_format: str) -> str:
    """Return the header that names the file."""
    ending = "ocsf.jsonl" if export_format == "ocsf" else export_format
    name = f"audit-{selection.org_id}-{selection.first}-{selection.last}.{ending}"
    return f'attachment; filename="{name}"'
