"""Stories of proving and changing an e-mail address."""

import asyncio
from uuid import UUID

from msgspec.structs import replace

from commands.handler import CommandHandler
from commands.identity.session import KNOWN_NETWORKS, LogIn
from commands.identity.user import ProveEmail, RegisterUser, RequestEmailProof
from commands.reservations import email_claim
from domain.base import DomainError
from domain.claim import EmailTaken
from domain.identity.user.address import EmailChanged, EmailProofIsOver, EmailProofRequested
from domain.identity.user.events import EmailConfirmed, NewNetworkSeen, UserRegistered
from eventstore.log import EventLog
from tests.commands.acme import LAPTOP, account, started
from tests.domain.spec import ANA, BEN, DAN, HOUR, NOW
from tests.spec import context, given, on, record

ANAS = (account(ANA, "Ana"),)
NEW = "ana@new.example.com"
OWN = EmailProofRequested(
    proof_id=UUID(int=9), email="ana@example.com", token_hash="0" * 64, expires_at=NOW + HOUR
)
OTHER = replace(OWN, email=NEW)
PROVE = ProveEmail(user_id=ANA, token_hash="0" * 64)
CHANGED = EmailChanged(from_="ana@example.com", to=NEW)


class TestProvingAnAddress:
    def test_a_request_is_recorded_whether_the_address_is_taken_or_not(self) -> None:
        asked = RequestEmailProof(user_id=ANA, requested=OTHER)
        given(*ANAS).when(asked).then(on(ANA, OTHER))
        taken = replace(OTHER, email="ben@example.com")
        bens = account(BEN, "Ben")
        given(*ANAS, bens).when(replace(asked, requested=taken)).then(on(ANA, taken))

    def test_the_own_address_is_confirmed(self) -> None:
        given(*ANAS, on(ANA, OWN)).when(PROVE).then(on(ANA, EmailConfirmed()))
        used = on(ANA, OWN, EmailConfirmed())
        given(*ANAS, used).when(PROVE).then_refused(EmailProofIsOver)

    def test_another_address_becomes_the_own_one(self) -> None:
        given(*ANAS, on(ANA, OTHER)).when(PROVE).then(on(ANA, CHANGED))

    def test_an_address_that_was_taken_meanwhile_is_refused(self) -> None:
        theirs = on(BEN, UserRegistered(email=NEW, name="Ben"))
        given(*ANAS, on(ANA, OTHER), theirs).when(PROVE).then_refused(EmailTaken)

    def test_the_old_address_is_free_for_others(self) -> None:
        changed = on(ANA, OTHER, CHANGED)
        asked = RegisterUser(
            user_id=DAN, email="ana@example.com", name="Dan", password_hash=b"hash"
        )
        assert given(*ANAS, changed).when(asked, by=DAN, org_id=None).recorded
        taken = replace(asked, email=NEW)
        given(*ANAS, changed).when(taken, by=DAN, org_id=None).then_refused(EmailTaken)

    def test_a_registration_can_ask_for_a_proof(self) -> None:
        registered = UserRegistered(email="dan@example.com", name="Dan")
        proof = replace(OWN, email="dan@example.com")
        asked = RegisterUser(
            user_id=DAN, email="dan@example.com", name="Dan", password_hash=b"hash", proof=proof
        )
        given().when(asked, by=DAN, org_id=None).then(on(DAN, registered, proof))

    async def test_two_people_never_get_the_same_address(
        self, log: EventLog, handler: CommandHandler, elsewhere: CommandHandler
    ) -> None:
        await record(log, *ANAS, account(BEN, "Ben"), on(ANA, OTHER), on(BEN, OTHER))

        outcomes = await asyncio.gather(
            handler.handle(PROVE, context(ANA)),
            elsewhere.handle(replace(PROVE, user_id=BEN), context(BEN)),
            return_exceptions=True,
        )

        assert [type(one) for one in outcomes if isinstance(one, DomainError)] == [EmailTaken]
        assert await log.holder(email_claim(log.keys.fingerprint, NEW)) in (ANA, BEN)


def test_a_login_from_a_new_network_is_recorded_and_the_network_known() -> None:
    news = NewNetworkSeen(network="192.0.2.0/24", device="curl")
    asked = LogIn(
        session_id=LAPTOP,
        user_id=ANA,
        nonce="n",
        credentials=0,
        new_network=news,
        known_networks=b"sealed",
    )
    story = given(*ANAS).when(asked, org_id=None)
    story.then(on(ANA, news), on(LAPTOP, started(ANA)))
    assert story.secrets[ANA] == {KNOWN_NETWORKS: b"sealed"}
