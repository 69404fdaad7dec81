"""The permissions of each role, written out again so that every change is deliberate."""

from itertools import pairwise

from domain.identity.organization.membership import Role
from domain.permission import ROLE_PERMISSIONS, Permission, is_allowed

TABLE = """
                    ADMIN MANAGER MEMBER
org:read            yes   yes     yes
org:manage          yes   no      no
member:invite       yes   yes     no
invitation:read     yes   yes     no
member:remove       yes   yes     no
member:manage       yes   no      no
member:leave        yes   yes     yes
project:read        yes   yes     yes
project:create      yes   yes     no
project:edit        yes   yes     no
project:archive     yes   yes     no
project:hold        yes   yes     no
project:delete      yes   yes     no
task:read           yes   yes     yes
task:create         yes   yes     yes
task:edit           yes   yes     yes
task:delete         yes   yes     no
task:delete_own     yes   yes     yes
task:force          yes   yes     no
webhook:read        yes   yes     no
webhook:manage      yes   no      no
audit:read          yes   no      no
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
