"""Events of the audit log as events of OCSF, one line of JSON each, streamed in constant memory.

They are for tools that collect logs. Only the JSON Lines of ``audit/export.py`` can be verified; a
line here names the number and the leaf hash of its event, by which it is tied to a proof.
"""

from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec

from audit.export import Selection
from audit.merkle import leaf_hash
from audit.ocsf.mapping import (
    ACCOUNT_CHANGE,
    ACTIVITY_OF,
    API_ACTIVITY,
    AUTHENTICATION,
    BASE_EVENT,
    ENTITY_MANAGEMENT,
    FAILED,
    GROUP_MANAGEMENT,
    MESSAGE_OF,
    OCSF_VERSION,
    OTHER,
    SEVERITIES,
    SEVERITY_OF,
    UNCLASSIFIED,
    USER_ACCESS,
    EventClass,
)
from audit.opened import Opened, Unread, open_all
from audit.trail import entry_json
from eventstore.engine.turns import PIECE
from eventstore.log import EventLog
from eventstore.recorded import ActorKind, Row

OcsfJson = dict[str, Any]

_PRODUCT = {"name": "Trackrecord", "vendor_name": "Trackrecord"}
_NOBODY_KNOWN = {"name": "Unknown"}
_USER, _SYSTEM, _SERVICE = 1, 3, 4
"""Types of users."""

_STATUSES = ("Unknown", "Success", "Failure")
_FAILURE = 2

_encode = msgspec.json.Encoder().encode


async def export_ocsf(log: EventLog, selection: Selection) -> AsyncIterator[bytes]:
    """Yield the events in chunks of whole lines."""
    at = selection.first - 1
    while at < selection.last:
        rows = await log.organization(selection.org_id, at, min(PIECE, selection.last - at))
        if not rows:
            return
        at = rows[-1].org_seq
        async with log.turns:
            lines = [ocsf_line(each) for each in await open_all(log, rows)]
        yield b"".join(lines)


def ocsf_line(opened: Opened | Unread) -> bytes:
    """Return one event as a line."""
    return _encode(ocsf_event(opened)) + b"\n"


def ocsf_event(opened: Opened | Unread) -> OcsfJson:
    """Return one event as OCSF has it."""
    row, entry = opened.row, msgspec.to_builtins(entry_json(opened))
    tag = "" if isinstance(opened, Unread) else row.tag
    activity, severity = ACTIVITY_OF.get(tag, UNCLASSIFIED), SEVERITY_OF.get(tag, 1)
    status = _FAILURE if tag in FAILED else int(activity is not UNCLASSIFIED)
    name = row.tag if activity.id == OTHER else activity.name
    return {
        "activity_id": activity.id,
        "activity_name": name,
        "category_uid": activity.of.category_uid,
        "category_name": activity.of.category_name,
        "class_uid": activity.of.uid,
        "class_name": activity.of.name,
        "type_uid": activity.of.uid * 100 + activity.id,
        "type_name": f"{activity.of.name}: {activity.name}",
        "time": row.recorded_at // 1_000,
        "severity_id": severity,
        "severity": SEVERITIES[severity],
        "status_id": status,
        "status": _STATUSES[status],
        "message": MESSAGE_OF.get(row.tag, row.tag),
        "metadata": _metadata(row, entry),
        **({} if activity is UNCLASSIFIED else _origin(entry)),
        **_BY_CLASS[activity.of](entry),
        "unmapped": _unmapped(row, entry),
    }


def _metadata(row: Row, entry: OcsfJson) -> OcsfJson:
    metadata = {
        "version": OCSF_VERSION,
        "product": _PRODUCT,
        "log_name": "audit",
        "uid": entry["id"],
        "sequence": row.org_seq,
        "event_code": row.tag,
        "tenant_uid": entry["organizationId"],
        "original_time": entry["at"],
    }
    if entry["correlationId"] is not None:
        metadata["correlation_uid"] = entry["correlationId"]
    return metadata


def _origin(entry: OcsfJson) -> OcsfJson:
    """Return who did it and from where, as far as that is known."""
    found: OcsfJson = {"actor": _actor(entry)}
    if "ip" in entry:
        found["src_endpoint"] = {"ip": entry["ip"]}
    names = (("uid", entry["requestId"]), ("user_agent", entry.get("userAgent")))
    if request := {name: value for name, value in names if value is not None}:
        found["http_request"] = request
    if entry["type"] in FAILED:
        data = entry["data"]
        found["count"] = data["count"]
        if (why := data.get("reason", data.get("needs"))) is not None:
            found["status_detail"] = why
    return found


def _actor(entry: OcsfJson) -> OcsfJson:
    kind, uid = entry["actor"]["type"], entry["actor"]["id"]
    if kind == ActorKind.SYSTEM:
        return {"app_name": _PRODUCT["name"], "user": {"uid": uid, "type_id": _SYSTEM}}
    if kind == ActorKind.USER:
        return {"user": {"uid": uid, "type_id": _USER}}
    owner = entry.get("onBehalfOf")
    user = {"uid": uid, "type_id": _SERVICE} if owner is None else {"uid": owner, "type_id": _USER}
    return {"user": user, "session": {"credential_uid": uid}}


def _unmapped(row: Row, entry: OcsfJson) -> OcsfJson:
    """Return what ties the line to the log and its proofs, and what OCSF has no place for."""
    return {
        "leafHash": leaf_hash(row.state).hex(),
        "command": entry["command"],
        "stream": entry["stream"],
        "version": entry["version"],
        "causationId": entry["causationId"],
        "data": entry["data"],
    }


# What each class has beside that -----------------------------------------------


def _of_account(entry: OcsfJson) -> OcsfJson:
    return {"user": _person(entry)}


def _of_authentication(entry: OcsfJson) -> OcsfJson:
    session = entry["data"].get("sessionId")
    return {
        "user": _person(entry),
        "service": {"name": _PRODUCT["name"]},
        **({} if session is None else {"session": {"uid": session}}),
    }


def _of_entity(entry: OcsfJson) -> OcsfJson:
    stream, invitation = entry["stream"], entry["data"].get("invitationId")
    uid, kind = (stream["id"], stream["type"]) if invitation is None else (invitation, "invitation")
    type_id = 4 if kind == "organization" else OTHER
    name = {} if type_id == OTHER else {"org": {"uid": uid}}
    return {"entity": {"uid": uid, "type_id": type_id, "type": kind, **name}}


def _of_user_access(entry: OcsfJson) -> OcsfJson:
    granted = entry["data"].get("to", "project member")
    return {"user": _person(entry), "privileges": [granted], "resources": [_resource(entry)]}


def _of_group(entry: OcsfJson) -> OcsfJson:
    data, stream = entry["data"], entry["stream"]
    kind = "team" if stream["type"] == "team" else "organization"
    group = {"uid": stream["id"], "type": kind}
    found: OcsfJson = {"group": group}
    if "userId" in data:
        found["user"] = _person(entry)
    granted = data.get("to", data.get("role")) if "userId" in data else None
    return found if granted is None else {**found, "privileges": [granted]}


def _of_api(entry: OcsfJson) -> OcsfJson:
    unknown = {} if "ip" in entry else {"src_endpoint": _NOBODY_KNOWN}
    return {
        "api": {"operation": entry["command"]},
        "resources": [_resource(entry)],
        **unknown,
    }


def _of_base(entry: OcsfJson) -> OcsfJson:
    return {}


def _resource(entry: OcsfJson) -> OcsfJson:
    return {"uid": entry["stream"]["id"], "type": entry["stream"]["type"]}


def _person(entry: OcsfJson) -> OcsfJson:
    uid = entry["data"].get("userId")
    return _NOBODY_KNOWN if uid is None else {"uid": uid, "type_id": _USER}


_BY_CLASS: dict[EventClass, Callable[[OcsfJson], OcsfJson]] = {
    BASE_EVENT: _of_base,
    ACCOUNT_CHANGE: _of_account,
    AUTHENTICATION: _of_authentication,
    ENTITY_MANAGEMENT: _of_entity,
    USER_ACCESS: _of_user_access,
    GROUP_MANAGEMENT: _of_group,
    API_ACTIVITY: _of_api,
}
