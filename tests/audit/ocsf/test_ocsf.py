"""Every event of an organization is a valid event of OCSF, by the schema that OCSF publishes."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import msgspec
import pytest
from msgspec.structs import replace

from audit.merkle import leaf_hash
from audit.ocsf.lines import ocsf_event, ocsf_line
from audit.ocsf.mapping import ACTIVITIES, ACTIVITY_OF, FAILED, MESSAGE_OF, OCSF_VERSION, OTHER
from audit.opened import Envelope, Opened, Unread
from domain.catalog import PUBLIC_EVENT_TYPES
from eventstore.recorded import Row
from tests.eventstore.examples import golden, newest

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parent / "schema-1.8.0.json").read_text())
CLASSES: dict[int, Any] = {each["uid"]: each for each in SCHEMA["classes"].values()}
VALIDATORS = {
    uid: jsonschema_rs.Draft202012Validator({**each["schema"], "$defs": SCHEMA["$defs"]})
    for uid, each in CLASSES.items()
}
KEY = UUID(int=5)
ACTORS = {
    "user": (["user", str(UUID(int=1))], None),
    "key": (["api_key", str(KEY)], str(UUID(int=1))),
    "key of nobody": (["api_key", str(KEY)], None),
    "system": (["system", str(UUID(int=0))], None),
}


def opened(tag: str, actor: str = "user", origin: str | None = '["192.0.2.7","curl/8"]') -> Opened:
    """Return the example of an event as somebody did it."""
    kept = golden(newest(tag)).row
    state = json.loads(kept.state)
    by, owner = ACTORS[actor]
    state["metadata"].pop("for", None)
    state["metadata"] |= {"by": by} if owner is None else {"by": by, "for": owner}
    stored = json.dumps(state, separators=(",", ":")).encode()
    row = replace(kept, state=stored, org_seq=7)
    sealed = None if origin is None else (b"salt", origin)
    return Opened(row, envelope_of(stored), {}, sealed)


def envelope_of(state: bytes) -> Envelope:
    return msgspec.json.decode(state, type=Envelope)


def valid(event: dict[str, Any]) -> dict[str, Any]:
    """Return *event* after comparing it with the schema of its class."""
    found = VALIDATORS[event["class_uid"]].iter_errors(event)
    errors = [f"{error.instance_path}: {error.message}" for error in found]
    assert errors == []
    return event


def told(opened: Opened | Unread) -> dict[str, Any]:
    """Return an event as it is written."""
    line = ocsf_line(opened)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    written: dict[str, Any] = json.loads(line)
    return valid(written)


def test_every_event_of_an_organization_has_one_activity() -> None:
    tags = [tag for tags in ACTIVITIES.values() for tag in tags.split()]

    assert sorted(tags) == sorted(PUBLIC_EVENT_TYPES)
    assert ACTIVITY_OF.keys() >= FAILED
    assert SCHEMA["version"] == OCSF_VERSION


@pytest.mark.parametrize("activity", ACTIVITIES, ids=lambda one: f"{one.of.name}-{one.name}")
def test_an_activity_is_called_as_ocsf_calls_it(activity: Any) -> None:
    known = CLASSES[activity.of.uid]

    assert known["caption"] == activity.of.name
    assert known["activities"][str(activity.id)] == activity.name
    assert activity.of.category_uid == activity.of.uid // 1_000


@pytest.mark.parametrize("tag", PUBLIC_EVENT_TYPES)
def test_an_event_is_valid_whoever_did_it(tag: str) -> None:
    for actor in ACTORS:
        for origin in ('["192.0.2.7","curl/8"]', '["2001:db8::1",null]', None):
            one = opened(tag, actor, origin)

            event = told(one)

            assert event["metadata"]["uid"] == str(one.row.id)
            assert event["metadata"]["sequence"] == 7
            assert event["metadata"]["event_code"] == tag
            assert event["unmapped"]["leafHash"] == leaf_hash(one.row.state).hex()
            assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
            assert event["message"] == MESSAGE_OF[tag]
            assert event["message"].endswith((".", ":")), "the first line is a sentence"
            if event["activity_id"] == OTHER:
                assert event["activity_name"] == tag


def test_who_did_it_and_from_where_is_told() -> None:
    event = told(opened("task.created", "key"))

    assert event["actor"] == {
        "user": {"uid": str(UUID(int=1)), "type_id": 1},
        "session": {"credential_uid": str(KEY)},
    }
    assert event["src_endpoint"] == {"ip": "192.0.2.7"}
    assert event["http_request"] == {"uid": "request", "user_agent": "curl/8"}
    assert event["api"] == {"operation": "DoIt"}
    assert event["resources"] == [{"uid": event["unmapped"]["stream"]["id"], "type": "task"}]
    unknown = told(opened("task.created", origin=None))
    assert unknown["src_endpoint"] == {"name": "Unknown"}
    assert unknown["http_request"] == {"uid": "request"}


@pytest.mark.parametrize("tag", sorted(FAILED))
def test_what_failed_is_told_with_how_often(tag: str) -> None:
    event = told(opened(tag))

    assert (event["status"], event["status_id"], event["severity"]) == ("Failure", 2, "Low")
    assert event["count"] == 7


def test_rights_are_told_where_they_change() -> None:
    changed = told(opened("member.role_changed"))
    joined = told(opened("member.joined"))

    assert changed["privileges"] == [changed["unmapped"]["data"]["to"]]
    assert changed["user"]["uid"] == changed["unmapped"]["data"]["userId"]
    assert joined["group"]["type"] == "organization"
    assert joined["privileges"] == [joined["unmapped"]["data"]["role"]]
    assert told(opened("project.member_added"))["privileges"] == ["project member"]
    assert told(opened("team.member_added"))["group"]["type"] == "team"
    assert told(opened("member.invited"))["entity"]["type"] == "invitation"
    assert told(opened("organization.renamed"))["entity"]["type_id"] == 4


def test_an_event_that_cannot_be_read_or_is_not_known_is_a_base_event() -> None:
    row = opened("task.created").row
    unread = told(Unread(replace(row, state=b"\xff")))
    unknown = told(unknown_kind(row))

    for event in (unread, unknown):
        assert (event["class_uid"], event["activity_id"]) == (0, 0)
        assert event["status"] == "Unknown"
        assert event["metadata"]["sequence"] == 7


def unknown_kind(row: Row) -> Opened:
    """Return an event that a later version may record."""
    state = row.state.replace(b'"task.created"', b'"task.sung"')
    return Opened(replace(row, tag="task.sung", state=state), envelope_of(state), {}, None)


def test_the_excerpt_refuses_what_ocsf_does() -> None:
    event = ocsf_event(opened("task.created"))
    changes: list[dict[str, Any]] = [
        {"activity_id": 7},
        {"time": "now"},
        {"actor": {}},
        {"severity_id": 8},
        {"invented": 1},
        {"metadata": {"version": "1.8.0"}},
    ]
    for wrong in changes:
        with pytest.raises(AssertionError):
            valid({**event, **wrong})
    with pytest.raises(AssertionError):
        valid({name: value for name, value in event.items() if name != "src_endpoint"})
