"""Which class and activity of OCSF each event is, by its tag.

The ids and names are those of OCSF 1.8.0, https://schema.ocsf.io/1.8.0. What a class has no
activity for is its activity Other, which is named by the tag itself, as OCSF wants it.
"""

from typing import NamedTuple

from domain.catalog import PUBLIC_EVENT_TYPES

OCSF_VERSION = "1.8.0"


class EventClass(NamedTuple):
    """A class of events, with its category."""

    uid: int
    name: str
    category_uid: int
    category_name: str


class EventActivity(NamedTuple):
    """An activity of a class."""

    of: EventClass
    id: int
    name: str


_IAM = (3, "Identity & Access Management")
BASE_EVENT = EventClass(0, "Base Event", 0, "Uncategorized")
ACCOUNT_CHANGE = EventClass(3001, "Account Change", *_IAM)
AUTHENTICATION = EventClass(3002, "Authentication", *_IAM)
ENTITY_MANAGEMENT = EventClass(3004, "Entity Management", *_IAM)
USER_ACCESS = EventClass(3005, "User Access Management", *_IAM)
GROUP_MANAGEMENT = EventClass(3006, "Group Management", *_IAM)
API_ACTIVITY = EventClass(6003, "API Activity", 6, "Application Activity")

OTHER = 99
UNCLASSIFIED = EventActivity(BASE_EVENT, 0, "Unknown")
"""What an event is that cannot be read, or that this version does not know."""

ACTIVITIES: dict[EventActivity, str] = {
    EventActivity(ACCOUNT_CHANGE, 2, "Enable"): "member.reactivated",
    EventActivity(ACCOUNT_CHANGE, 5, "Disable"): "member.deactivated",
    EventActivity(ACCOUNT_CHANGE, OTHER, "Other"): "member.linked member.unlinked",
    EventActivity(AUTHENTICATION, 1, "Logon"): (
        "access.logged_in access.login_failed access.sso_refused"
    ),
    EventActivity(AUTHENTICATION, OTHER, "Other"): "access.new_network_used",
    EventActivity(ENTITY_MANAGEMENT, 1, "Create"): (
        "organization.created organization.forked webhook.created api_key.created member.invited"
    ),
    EventActivity(ENTITY_MANAGEMENT, 3, "Update"): (
        "organization.renamed organization.subdomain_changed organization.settings_changed"
        " organization.plan_changed organization.domain_proven organization.sso_configured"
        " organization.sso_removed webhook.updated webhook.secret_rotated api_key.updated"
        " api_key.rotated"
    ),
    EventActivity(ENTITY_MANAGEMENT, 4, "Delete"): (
        "organization.deleted organization.purged webhook.deleted webhook.purged api_key.purged"
    ),
    EventActivity(ENTITY_MANAGEMENT, 11, "Deactivate"): (
        "api_key.revoked api_key.expired member.invitation_revoked member.invitation_expired"
    ),
    EventActivity(ENTITY_MANAGEMENT, 12, "Suspend"): "webhook.paused",
    EventActivity(ENTITY_MANAGEMENT, 13, "Resume"): "webhook.resumed",
    EventActivity(ENTITY_MANAGEMENT, OTHER, "Other"): (
        "organization.restored organization.legal_hold_placed organization.legal_hold_lifted"
        " webhook.restored webhook.replay_requested member.invitation_accepted log.restored"
    ),
    EventActivity(USER_ACCESS, 1, "Assign Privileges"): "member.role_changed project.member_added",
    EventActivity(USER_ACCESS, 2, "Revoke Privileges"): "project.member_removed",
    EventActivity(GROUP_MANAGEMENT, 1, "Assign Privileges"): "team.role_changed",
    EventActivity(GROUP_MANAGEMENT, 3, "Add User"): "member.joined team.member_added",
    EventActivity(GROUP_MANAGEMENT, 4, "Remove User"): "member.left team.member_removed",
    EventActivity(GROUP_MANAGEMENT, 5, "Delete"): "team.deleted team.purged",
    EventActivity(GROUP_MANAGEMENT, 6, "Create"): "team.created",
    EventActivity(GROUP_MANAGEMENT, OTHER, "Other"): "team.renamed team.restored",
    EventActivity(API_ACTIVITY, 1, "Create"): (
        "attachment.imported attachment.uploaded comment.imported comment.posted cycle.created"
        " field.created label.created milestone.created project.created relation.added"
        " task.created task.imported task.templated template.created view.created"
        " worklog.added"
        " worklog.imported"
    ),
    EventActivity(API_ACTIVITY, 2, "Read"): "access.audit_read audit.exported log.forked",
    EventActivity(API_ACTIVITY, 3, "Update"): (
        "attachment.restored attachment.scanned changes.undone comment.edited"
        " comment.reaction_added comment.reaction_removed comment.restored cycle.renamed"
        " cycle.rescheduled cycle.restored field.options_changed field.renamed field.restored"
        " label.recolored label.renamed label.restored milestone.dated milestone.renamed"
        " milestone.restored project.archived project.described project.key_changed"
        " project.lead_assigned project.put_on_hold project.renamed project.restored"
        " project.resumed project.team_linked project.unarchived project.visibility_changed"
        " project.workflow_defined task.assigned task.cycle_changed task.described task.estimated"
        " task.field_set task.labelled task.mentioned task.milestone_changed task.moved"
        " task.occurrence_skipped task.priority_changed task.ranked task.recurrence_set"
        " task.reparented task.repeated task.restored task.retitled"
        " task.scheduled task.status_changed task.unassigned task.unlabelled task.unwatched"
        " task.watched template.described template.fields_changed template.renamed"
        " template.restored template.subtasks_changed template.text_changed template.titled"
        " template.values_changed view.columns_changed view.filtered view.renamed view.restored"
        " view.shared view.sorted view.unshared worklog.changed worklog.restored"
    ),
    EventActivity(API_ACTIVITY, 4, "Delete"): (
        "attachment.deleted attachment.purged comment.deleted comment.purged cycle.deleted"
        " cycle.purged field.deleted field.purged label.deleted label.purged milestone.deleted"
        " milestone.purged project.deleted project.purged relation.removed task.deleted"
        " task.purged template.deleted template.purged view.deleted view.purged worklog.deleted"
        " worklog.purged content.redacted log.fork_abandoned"
    ),
    EventActivity(API_ACTIVITY, OTHER, "Other"): "access.denied",
}
"""The tags of the events that each activity stands for."""

ACTIVITY_OF = {tag: activity for activity, tags in ACTIVITIES.items() for tag in tags.split()}

FAILED = frozenset({"access.denied", "access.login_failed", "access.sso_refused"})
"""What did not come about; all other events are something that did."""

SEVERITIES = {1: "Informational", 2: "Low", 4: "High"}
SEVERITY_OF = {
    **dict.fromkeys(FAILED | {"access.new_network_used"}, 2),
    "log.forked": 2,
    "log.restored": 4,
}
"""The severity of events that are more than informational, as the log itself can tell."""

MESSAGE_OF = {
    tag: (kind.__doc__ or "").partition("\n")[0].replace("*", "")
    for tag, kind in PUBLIC_EVENT_TYPES.items()
}
"""What each event says in a sentence."""
