"""Lists of members, on both engines."""

import json

import pytest

from domain.base import UserId
from domain.identity.organization.membership import Role
from projections.engine.store import ReadStore
from projections.identity.member import MemberFilter, members_of
from tests.domain.spec import ACME, ANA, BEN, CLEO, NOW
from tests.projections.engine.test_find import projected


async def test_members_are_listed_with_their_users_and_without_former_members(
    store: ReadStore,
) -> None:
    models = await projected(store)

    first = await members_of(models, ACME, limit=1)
    rest = await members_of(models, ACME, after=first.next_key)
    members = [json.loads(item) for item in first.items + rest.items]

    assert [one["userId"] for one in members] == [str(ANA), str(BEN)]
    assert members[0] == {
        "userId": str(ANA),
        "role": "ADMIN",
        "active": True,
        "joinedAt": NOW.isoformat().replace("+00:00", "Z"),
        "user": {"id": str(ANA), "email": "ana@example.com", "name": "Ana", "active": True},
    }
    assert str(CLEO) not in [one["userId"] for one in members]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (MemberFilter(role=Role.ADMIN), [ANA]),
        (MemberFilter(role=Role.MANAGER), [BEN]),
        (MemberFilter(active=True), [ANA, BEN]),
        (MemberFilter(active=False), []),
        (MemberFilter(text="BEN"), [BEN]),
        (MemberFilter(text="@example"), [ANA, BEN]),
        (MemberFilter(role=Role.ADMIN, active=True, text="ben"), []),
        (MemberFilter(role=Role.MEMBER), []),
        (MemberFilter(text="%"), []),
    ],
)
async def test_members_are_found_by_role_access_and_what_they_are_called(
    store: ReadStore, wanted: MemberFilter, found: list[UserId]
) -> None:
    models = await projected(store)

    page = await members_of(models, ACME, wanted)

    assert [json.loads(item)["userId"] for item in page.items] == list(map(str, found))
    assert page.next_key is None


async def test_members_who_are_found_come_in_pages_of_any_size(
    store: ReadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    models, seen, after = await projected(store), list[str](), None
    monkeypatch.setattr("projections.identity.member.RESIDUAL_ROWS_MAX", 1)

    for _ in range(3):
        page = await members_of(models, ACME, MemberFilter(text="example"), 1, after)
        seen += [json.loads(item)["userId"] for item in page.items]
        after = page.next_key
        if after is None:
            break

    assert seen == [str(ANA), str(BEN)]
    assert after is None
