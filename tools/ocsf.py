"""The reference page of the OCSF export: which class and activity each event is."""

from audit.ocsf.mapping import ACTIVITIES, OCSF_VERSION, SEVERITIES, SEVERITY_OF
from tools.markdown import code, page, table

_INTRO = f"""\
`GET /api/audit/export?format=ocsf` writes the audit log as events of the
[Open Cybersecurity Schema Framework](https://schema.ocsf.io/{OCSF_VERSION}) {OCSF_VERSION}, one
JSON object a line, in the order of the log. A test compares every kind of event with the schema
that OCSF publishes."""

_MEMBERS = (
    ("`time`", "when the event was recorded, in milliseconds; `metadata.original_time` has more"),
    ("`metadata.uid`", "the id of the event, as in the audit log and in webhooks"),
    ("`metadata.sequence`", "its sequence number, without gaps: `seq` of its proof"),
    ("`metadata.event_code`", "the name of the event"),
    ("`metadata.tenant_uid`", "the organization"),
    ("`actor.user`", "who did it; behind an API key, the user who created it"),
    ("`actor.session.credential_uid`", "the API key, if there was one"),
    ("`http_request.uid`", "the id of the request"),
    ("`unmapped.command`", "the command; of an API Activity, `api.operation` as well"),
    ("`src_endpoint.ip`", "where it came from; missing or called `Unknown` if nobody knows"),
    ("`http_request.user_agent`", "what the client called itself, as far as that is known"),
    ("`count`, `status_detail`", "of failures, how many there were and why"),
    ("`unmapped.leafHash`", "the leaf hash: `leafHash` of its proof"),
    ("`unmapped.stream`, `unmapped.version`", "its place in its stream, the version of its schema"),
    ("`unmapped.data`", "its fields; what was erased is `[erased]`"),
)

_CLASSES = """\
An activity Other has the name of the event in `activity_name`. The severity is Informational where
nothing else is said. An event that cannot be read is a Base Event (0) with its number and its leaf
hash. Accounts and sessions are in no organization's log: what somebody did in an organization, and
that they logged in, is."""


def ocsf_page() -> str:
    """Return the page: the members, then the events by class and activity."""
    rows = [
        (
            f"{activity.of.name} ({activity.of.uid})",
            f"{activity.name} ({activity.id})",
            ", ".join(_told(tag) for tag in tags.split()),
        )
        for activity, tags in ACTIVITIES.items()
    ]
    return page(
        "The audit log as OCSF",
        _INTRO,
        "## Members",
        table(("member", "what it has"), _MEMBERS),
        "## Classes and activities",
        _CLASSES,
        table(("class", "activity", "events"), rows),
    )


def _told(tag: str) -> str:
    severity = SEVERITY_OF.get(tag)
    return code(tag) if severity is None else f"{code(tag)} ({SEVERITIES[severity]})"
