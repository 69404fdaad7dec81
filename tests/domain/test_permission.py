"""The permissions of each role, written out again so that every change is deliberate."""

from itertools import pairwise

from domain.identity.organization.membership import Role
from domain.permission import (
    KEY_PERMISSIONS,
    ROLE_PERMISSIONS,
    Permission,
    is_allowed,
    permissions_of_key,
    scopes_named,
)

TABLE = """
                    ADMIN MANAGER MEMBER
org:read            yes   yes     yes
org:manage          yes   no      no
sso:read            yes   no      no
sso:manage          yes   no      no
member:invite       yes   yes     no
invitation:read     yes   yes     no
member:remove       yes   yes     no
member:manage       yes   no      no
member:leave        yes   yes     yes
team:read           yes   yes     yes
team:create         yes   yes     no
team:edit           yes   yes     no
project:read        yes   yes     yes
project:create      yes   yes     no
project:edit        yes   yes     no
project:archive     yes   yes     no
project:hold        yes   yes     no
project:workflow    yes   yes     no
project:delete      yes   yes     no
task:read           yes   yes     yes
task:create         yes   yes     yes
task:edit           yes   yes     yes
task:delete         yes   yes     no
task:delete_own     yes   yes     yes
task:force          yes   yes     no
comment:post        yes   yes     yes
comment:delete      yes   yes     no
worklog:log         yes   yes     yes
worklog:manage      yes   yes     no
attachment:add      yes   yes     yes
attachment:delete   yes   yes     no
trash:read          yes   yes     yes
trash:purge         yes   no      no
content:redact      yes   no      no
webhook:read        yes   yes     no
webhook:manage      yes   no      no
audit:read          yes   no      no
change:undo         yes   yes     yes
change:undo_others  yes   yes     no
apikey:read         yes   yes     yes
apikey:create       yes   yes     yes
apikey:manage       yes   no      no
"""
HEADER, *ROWS = (line.split() for line in TABLE.strip().splitlines())


def test_a_role_has_the_permissions_in_the_table() -> None:
    for name, *answers in ROWS:
        allowed = {role: is_allowed(Role(role), Permission(name)) for role in HEADER}

        assert allowed == {r: a == "yes" for r, a in zip(HEADER, answers, strict=True)}, name


def test_every_permission_and_every_role_is_in_the_table() -> None:
    assert [name for name, *_ in ROWS] == [str(permission) for permission in Permission]
    assert set(ROLE_PERMISSIONS) == set(Role) == {Role(name) for name in HEADER}


def test_no_role_has_no_permission() -> None:
    assert not any(is_allowed(None, permission) for permission in Permission)


def test_a_higher_role_has_all_permissions_of_a_lower_one() -> None:
    by_rank = sorted(Role, key=lambda role: role.rank)
    assert by_rank == [Role.MEMBER, Role.MANAGER, Role.ADMIN]
    for lower, higher in pairwise(by_rank):
        assert ROLE_PERMISSIONS[lower] < ROLE_PERMISSIONS[higher]


def test_an_api_key_may_do_what_its_scopes_and_the_role_of_its_creator_grant() -> None:
    everything = frozenset(Permission)
    for role in Role:
        for permission in Permission:
            granted = is_allowed(role, permission, everything)
            assert granted is (permission in permissions_of_key(role))
            assert not is_allowed(role, permission, everything - {permission})
            assert not granted or is_allowed(role, permission)
    assert not any(is_allowed(None, permission, everything) for permission in Permission)


def test_no_key_manages_people_the_organization_or_keys() -> None:
    left = {str(permission) for permission in set(Permission) - KEY_PERMISSIONS}

    assert {name.partition(":")[0] for name in left} == {
        *("org", "sso", "member", "invitation", "trash", "content", "apikey")
    }
    assert {p for p in KEY_PERMISSIONS if p.startswith("org:")} == {Permission.ORG_READ}


def test_the_keys_of_the_lowest_role_only_read() -> None:
    assert {str(p).partition(":")[2] for p in permissions_of_key(Role.MEMBER)} == {"read"}


def test_a_scope_that_no_longer_exists_grants_nothing() -> None:
    assert scopes_named(("task:read", "task:fly")) == {Permission.TASK_READ}
