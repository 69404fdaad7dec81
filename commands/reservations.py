"""The claims that each event takes and the counts that it changes.

They are derived from the events alone, so that they can be computed again and compared
(``trackrecord lint-log``). An increase above the limit of the plan is refused; a count above a
lowered limit can still decrease.
"""

from collections import Counter
from collections.abc import Callable
from uuid import UUID

from commands.claims.planning import PLANNED_RULES
from commands.claims.recurrence import REPEATING_RULES
from commands.claims.rules import AREA_RULES
from commands.claims.subdomains import SUBDOMAIN_RULES
from commands.content_counts import CONTENT_RULES
from commands.happening import Fingerprint, Happening, Reservations, Rule
from commands.label_claims import LABEL_RULES
from commands.plan_counts import count, counting, tasks_in
from commands.project_claims import PROJECT_RULES
from commands.relation_counts import (
    GUARDS,
    RELATION_RULES,
    Share,
    count_at,
    count_blocked,
    count_subtask,
)
from commands.session_places import SESSION_RULES
from domain.base import PLATFORM, Event, OrgId
from domain.claim import EmailTaken
from domain.hooks.webhook.events import WebhookCreated, WebhookDeleted, WebhookRestored
from domain.identity.api_key.events import (
    ApiKeyCreated,
    ApiKeyExpired,
    ApiKeyPurged,
    ApiKeyRevoked,
)
from domain.identity.organization.membership import (
    InvitationAccepted,
    InvitationExpired,
    InvitationRevoked,
    MemberInvited,
    MemberJoined,
    MemberLeft,
)
from domain.identity.organization.sso import LinkedToAnother, MemberLinked, MemberUnlinked
from domain.identity.plan import Countable
from domain.identity.user.address import EmailChanged
from domain.identity.user.erasure import UserErasureRequested
from domain.identity.user.events import UserRegistered
from domain.work.task.events import (
    TaskCreated,
    TaskDeleted,
    TaskMoved,
    TaskReparented,
    TaskRestored,
    TaskStatusChanged,
)
from domain.work.task.state import OPEN_NUMBER
from domain.work.workflow.errors import StatusInUse
from domain.work.workflow.events import FINISHED, WorkflowDefined
from eventstore.claim import ClaimChange, ClaimKey, CountChange, CountKey, numbered

EMAIL, SUBJECT = "email", "sso subject"
API_KEY, WEBHOOK, TASK_NUMBER = "api key", "webhook", "task number"


def email_claim(fingerprint: Fingerprint, address: str) -> ClaimKey:
    """Return the claim on an address in its canonical form."""
    return ClaimKey(PLATFORM, EMAIL, PLATFORM, fingerprint(EMAIL, address))


def api_key_claim(key_id: str) -> ClaimKey:
    """Return the claim on the public id of an API key; its organization holds it forever.

    A request with a key names no organization, so this is how the key is found.
    """
    return ClaimKey(PLATFORM, API_KEY, PLATFORM, key_id.encode())


def subject_claim(fingerprint: Fingerprint, org_id: OrgId, issuer: str, subject: str) -> ClaimKey:
    """Return the claim of an organization on a subject of its provider; a person holds it."""
    known_by = fingerprint(SUBJECT, f"{issuer}\n{subject}")
    return ClaimKey(org_id, SUBJECT, org_id, known_by)


def task_numbers(org_id: OrgId, project_id: UUID) -> CountKey:
    """Return the count from which a project's tasks take their numbers."""
    return CountKey(org_id, TASK_NUMBER, project_id)


def task_number_claim(org_id: OrgId, project_id: UUID, number: int) -> ClaimKey:
    """Return the claim on a task number of a project."""
    return numbered(task_numbers(org_id, project_id), number)


def note(happened: Happening, reserved: Reservations) -> None:
    """Add the claims and counts of one event to *reserved*."""
    for rule in _RULES_OF.get(happened.kind, ()):
        rule(happened, reserved)


_NUMBERED = (TaskCreated, TaskMoved)


def is_open_number(event: Event) -> bool:
    """Return whether the append has yet to assign the number of *event*."""
    return isinstance(event, _NUMBERED) and event.number == OPEN_NUMBER


# One rule per kind of event -------------------------------------------------


def _registered(happened: Happening, reserved: Reservations) -> None:
    claim = email_claim(happened.fingerprint, happened.event.email)
    reserved.claims.append(ClaimChange(claim, happened.stream, EmailTaken()))


def _email_changed(happened: Happening, reserved: Reservations) -> None:
    old = email_claim(happened.fingerprint, happened.event.from_)
    new = email_claim(happened.fingerprint, happened.event.to)
    reserved.claims.append(ClaimChange(new, happened.stream, EmailTaken()))
    reserved.claims.append(ClaimChange(old, happened.stream, release=True))


def _erasure_requested(happened: Happening, reserved: Reservations) -> None:
    claim = email_claim(happened.fingerprint, happened.before.email)
    reserved.claims.append(ClaimChange(claim, happened.stream, release=True))


def _api_key_purged(happened: Happening, reserved: Reservations) -> None:
    if not (happened.before.revoked or happened.before.over):
        count(Countable.API_KEYS, -1, happened, reserved)


def _member_linked(happened: Happening, reserved: Reservations) -> None:
    event = happened.event
    claim = subject_claim(happened.fingerprint, happened.org_id, event.issuer, event.subject)
    reserved.claims.append(ClaimChange(claim, event.user_id, LinkedToAnother()))


def _member_unlinked(happened: Happening, reserved: Reservations) -> None:
    user_id = happened.event.user_id
    link = happened.before.sign_on.links.get(user_id)
    if link is not None:
        claim = subject_claim(happened.fingerprint, happened.org_id, link.issuer, link.subject)
        reserved.claims.append(ClaimChange(claim, user_id, release=True))


def _api_key_created(happened: Happening, reserved: Reservations) -> None:
    claim = api_key_claim(happened.event.key_id)
    reserved.claims.append(ClaimChange(claim, happened.org_id))
    count(Countable.API_KEYS, 1, happened, reserved)


def _webhook_created(happened: Happening, reserved: Reservations) -> None:
    """Count a webhook; by its claim, which it keeps when deleted, workers find it."""
    claim = ClaimKey(happened.org_id, WEBHOOK, happened.org_id, happened.stream.bytes)
    reserved.claims.append(ClaimChange(claim, happened.stream))
    count(Countable.WEBHOOKS, 1, happened, reserved)


def _task_created(happened: Happening, reserved: Reservations) -> None:
    event = happened.event
    count(Countable.TASKS, 1, happened, reserved)
    reserved.counts.append(
        CountChange(tasks_in(happened.org_id, event.project_id, event.status), 1)
    )
    share = Share(int(event.group not in FINISHED), 1, 1)
    count_subtask(event.parent_id, share, happened, reserved)
    _number(happened, reserved)


def _task_moved(happened: Happening, reserved: Reservations) -> None:
    event, task, org_id = happened.event, happened.before, happened.org_id
    if task.deleted:
        return
    for status, by in ((event.from_, -1), (event.to, 1)):
        reserved.counts.append(CountChange(tasks_in(org_id, task.project_id, status), by))
    change = (event.to_group not in FINISHED) - (task.group not in FINISHED)
    count_subtask(task.parent_id, Share(change), happened, reserved)
    count_blocked(org_id, event.blocking, change, reserved)
    for guard in event.guards:
        checked = GUARDS[guard](org_id, happened.stream, event.hidden_blockers)
        reserved.counts.append(checked)


def _workflow_defined(happened: Happening, reserved: Reservations) -> None:
    for key, status in happened.before.workflow.to_be_empty(happened.event):
        count = tasks_in(happened.org_id, happened.stream, key)
        reserved.counts.append(CountChange(count, 0, limit=0, refusal=_in_use(status)))


def _in_use(status: str) -> Callable[[int], StatusInUse]:
    return lambda found: StatusInUse(key=status, tasks=found)


def _task_trashed(happened: Happening, reserved: Reservations) -> None:
    task = happened.before
    by = -1 if isinstance(happened.event, TaskDeleted) else 1
    hides = Counter({each.status: each.tasks for each in happened.event.hides})
    hides[task.status] += 1
    count(Countable.TASKS, by * hides.total(), happened, reserved)
    for status, number in hides.items():
        in_status = tasks_in(happened.org_id, task.project_id, status)
        reserved.counts.append(CountChange(in_status, by * number))
    share = Share(by * (task.group not in FINISHED), by)
    count_subtask(task.parent_id, share, happened, reserved)
    count_blocked(happened.org_id, happened.event.blocking, by, reserved)


def _task_reparented(happened: Happening, reserved: Reservations) -> None:
    task, event = happened.before, happened.event
    count_at(event.from_, event.to, (task.group, task.group), happened, reserved)


def _task_transferred(happened: Happening, reserved: Reservations) -> None:
    event, task, org_id = happened.event, happened.before, happened.org_id
    if not (task.deleted or event.below_trash):
        reserved.counts.append(CountChange(tasks_in(org_id, task.project_id, task.status), -1))
        reserved.counts.append(CountChange(tasks_in(org_id, event.project_id, event.status), 1))
    count_at(task.parent_id, event.parent_id, (task.group, event.group), happened, reserved)
    _number(happened, reserved)


def _number(happened: Happening, reserved: Reservations) -> None:
    """Take the number of a task, unless the append has yet to assign it."""
    event = happened.event
    if event.number != OPEN_NUMBER:
        numbers = task_numbers(happened.org_id, event.project_id)
        reserved.claims.append(ClaimChange(numbered(numbers, event.number), happened.stream))
        reserved.counts.append(CountChange(numbers, 1))


_RULES: dict[type[Event], Rule] = {
    UserRegistered: _registered,
    EmailChanged: _email_changed,
    UserErasureRequested: _erasure_requested,
    **SESSION_RULES,
    **SUBDOMAIN_RULES,
    MemberJoined: counting(Countable.MEMBERS, 1),
    MemberLinked: _member_linked,
    MemberUnlinked: _member_unlinked,
    MemberInvited: counting(Countable.MEMBERS, 1),
    MemberLeft: counting(Countable.MEMBERS, -1),
    InvitationRevoked: counting(Countable.MEMBERS, -1),
    InvitationExpired: counting(Countable.MEMBERS, -1),
    InvitationAccepted: counting(Countable.MEMBERS, -1),
    WorkflowDefined: _workflow_defined,
    TaskCreated: _task_created,
    TaskStatusChanged: _task_moved,
    TaskDeleted: _task_trashed,
    TaskRestored: _task_trashed,
    TaskReparented: _task_reparented,
    TaskMoved: _task_transferred,
    **PROJECT_RULES,
    WebhookCreated: _webhook_created,
    WebhookDeleted: counting(Countable.WEBHOOKS, -1),
    WebhookRestored: counting(Countable.WEBHOOKS, 1),
    ApiKeyCreated: _api_key_created,
    ApiKeyRevoked: counting(Countable.API_KEYS, -1),
    ApiKeyExpired: counting(Countable.API_KEYS, -1),
    ApiKeyPurged: _api_key_purged,
    **CONTENT_RULES,
    **LABEL_RULES,
    **RELATION_RULES,
    **AREA_RULES,
}

_ALL_RULES = (_RULES, PLANNED_RULES, REPEATING_RULES)
_RULES_OF: dict[type[Event], tuple[Rule, ...]] = {
    kind: tuple(rules[kind] for rules in _ALL_RULES if kind in rules)
    for kind in (each for rules in _ALL_RULES for each in rules)
}

RESERVING = frozenset(_RULES_OF)
"""The kinds of events that take or release claims, or change or check counts."""
