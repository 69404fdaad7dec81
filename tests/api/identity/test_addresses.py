"""One mailbox is one address, however it is spelled: invited, joined and registered once."""

import pytest
from litestar import Litestar

from tests.api.identity.test_invitation import accept_new, invite, token_of
from tests.api.identity.test_registration import registration
from tests.api.stage import (
    Person,
    at_once,
    client_of,
    done,
    log_in,
    refused,
    unique,
)

SPELLINGS = [
    "{name}@bücher.example",
    "{NAME}@BÜCHER.Example",
    "{name}@bu\u0308cher.example",  # u and a combining diaeresis: NFKC joins them
    "{wide}@bücher.example",  # full-width letters: NFKC makes them ASCII
    "{name}@xn--bcher-kva.example",
    "{name}@bücher.example.",
]


def spelled(spelling: str, name: str) -> str:
    """Return the address of *name* in another spelling."""
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in name)
    return spelling.format(name=name, NAME=name.upper(), wide=wide)


def canonical(name: str) -> str:
    return f"{name}@xn--bcher-kva.example"


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_an_invitation_goes_to_the_mailbox_and_replaces_an_older_one(
    app: Litestar, ana: Person, spelling: str
) -> None:
    name = unique("q")
    old = token_of(await invite(ana, canonical(name)))

    token = token_of(await invite(ana, spelled(spelling, name)))

    preview = await ana.client.post("/api/invitations/preview", json={"token": token})
    assert done(preview, 200)["email"] == canonical(name)
    listed = done(await ana.get(f"/org/{ana.org_id}/invitations"), 200)["items"]
    assert [each["email"] for each in listed] == [canonical(name)]
    refused(await accept_new(app, old), 409, "invitation_is_over")
    assert done(await accept_new(app, token), 201)["user"]["email"] == canonical(name)
    assert await log_in(client_of(app), spelled(spelling, name))


async def test_invitations_in_a_rush_leave_one_for_each_mailbox(app: Litestar, ana: Person) -> None:
    name = unique("q")
    path = f"/org/{ana.org_id}/invitations"
    asked = [{"email": spelled(each, name), "role": "MEMBER"} for each in SPELLINGS]

    answers = await at_once(*(ana.post(path, body) for body in asked))

    assert {answer.status_code for answer in answers} == {201}
    [left] = done(await ana.get(path), 200)["items"]
    tokens = [token_of(answer.json()) for answer in answers]
    joined = await at_once(*(accept_new(app, token) for token in tokens))
    assert sorted(answer.status_code for answer in joined) == [201] + [409] * (len(SPELLINGS) - 1)
    [won] = [answer for answer in joined if answer.status_code == 201]
    assert won.json()["user"]["email"] == left["email"] == canonical(name)


async def test_who_joins_and_who_registers_at_once_share_one_account(
    app: Litestar, ana: Person
) -> None:
    name = unique("q")
    token = token_of(await invite(ana, canonical(name)))
    bodies = [registration(email=spelled(each, name)) for each in SPELLINGS]

    answers = await at_once(
        accept_new(app, token),
        *(client_of(app).post("/api/auth/register", json=body) for body in bodies),
    )

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * len(SPELLINGS)
    assert await log_in(client_of(app), canonical(name))
