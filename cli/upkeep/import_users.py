"""``import-users``: create the accounts of people from another system, with their passwords."""

import asyncio
import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from cli.bars import progress_bar
from cli.failure import CommandFailed
from cli.outages import outages_as_failures
from cli.running import settings_of_running
from commands.base import Context
from commands.claims.subdomains import subdomain_claim
from commands.identity.importing import ImportUser
from domain.base import PLATFORM, DomainError, OrgId, UserId
from domain.claim import EmailTaken
from domain.identity.organization.membership import Role
from eventstore.identifiers import new_id
from eventstore.recorded import Actor, ActorKind
from runtime.settings import load_settings
from runtime.system import System, open_system
from security.mail_address import canonical_address, is_address
from security.passwords import is_importable

_COLUMNS = ("email", "name", "password_hash")
_HASHES = "a bcrypt hash of a cost of at most 14, or an Argon2id hash in PHC format"


class Person(NamedTuple):
    """One line of the file."""

    line: int
    email: str
    name: str
    password_hash: str
    role: str


def run(file: Path, /, *, organization: str) -> int:
    """Create an account for each line of a file; return 1 if a line was refused.

    Parameters
    ----------
    file
        CSV with a header: email, name, password_hash and, if wanted, role (MEMBER by default).
    organization
        Subdomain of the organization that they become members of.
    """
    people = list(_people(file))
    with outages_as_failures():
        return asyncio.run(_import(people, organization))


def _people(file: Path) -> Iterator[Person]:
    """Yield the lines of *file*.

    :raises CommandFailed: it cannot be read, or lacks a column.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, strict=True)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise CommandFailed(f"{file} has no column {', '.join(missing)}", 2)
            for row in reader:
                yield Person(
                    line=reader.line_num,
                    email=canonical_address(row["email"] or ""),
                    name=(row["name"] or "").strip(),
                    password_hash=(row["password_hash"] or "").strip(),
                    role=(row.get("role") or Role.MEMBER).strip().upper(),
                )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandFailed(f"{file} cannot be read: {error}", 2) from None


async def _import(people: list[Person], subdomain: str) -> int:
    async with open_system(load_settings(settings_of_running())) as system:
        org_id = await system.log.holder(subdomain_claim(subdomain.lower()))
        if org_id is None:
            raise CommandFailed(f"there is no organization with the subdomain {subdomain}", 2)
        created = there = 0
        refused: list[str] = []
        with progress_bar() as progress:
            bar = progress.add_task("importing", total=len(people))
            for person in people:
                try:
                    await _create(system, person, OrgId(org_id))
                    created += 1
                except EmailTaken:
                    there += 1
                except (DomainError, ValueError) as error:
                    refused.append(f"line {person.line}: {error}")
                progress.advance(bar)
    for reason in refused:
        print(reason)
    print(f"{created} accounts created, {there} were there already, {len(refused)} lines refused")
    return 1 if refused else 0


async def _create(system: System, person: Person, org_id: OrgId) -> None:
    """Create the account of *person* as a member of the organization.

    :raises ValueError: the line says something that cannot be.
    :raises DomainError: a rule refuses it, as when the plan has no more places.
    """
    if not is_address(person.email):
        raise ValueError(f"{person.email!r} is not an e-mail address")
    if not is_importable(person.password_hash):
        raise ValueError(f"password_hash is not {_HASHES}")
    asked = {
        "user_id": UserId(new_id()),
        "email": person.email,
        "name": person.name,
        "password_hash": person.password_hash.encode(),
        "organization_id": org_id,
        "role": person.role,
    }
    try:
        command = msgspec.convert(asked, ImportUser)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    context = Context(actor=Actor(ActorKind.SYSTEM, PLATFORM), now=system.clock(), org_id=org_id)
    await system.commands.handle(command, context)
