"""Claims: one stream per value, so that the log refuses a second holder."""

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.base import Event, ProjectId
from domain.claim import (
    Claim,
    ClaimEvent,
    EmailClaimed,
    EmailReleased,
    PlatformClaim,
    ProjectKeyClaimed,
    SubdomainClaimed,
    SubdomainReleased,
    TaskNumberClaimed,
    project_key_claim,
    subdomain_claim,
    task_number_claim,
)
from tests.domain.spec import ACME, ANA, ENG, OTHER, QUICK, events_of, given


@pytest.mark.parametrize(
    "kind", [EmailClaimed, SubdomainClaimed, ProjectKeyClaimed, TaskNumberClaimed]
)
def test_a_claim_has_the_holder_who_took_it(
    kind: type[EmailClaimed | SubdomainClaimed | ProjectKeyClaimed | TaskNumberClaimed],
) -> None:
    assert Claim().holder is None
    assert given(Claim(), kind(holder=ANA)).holder == ANA


@pytest.mark.parametrize("released", [EmailReleased(), SubdomainReleased()])
def test_a_released_value_has_no_holder(released: Event) -> None:
    assert given(Claim(), EmailClaimed(holder=ANA), released) == Claim()


def test_addresses_and_subdomains_are_unique_across_organizations() -> None:
    assert PlatformClaim.platform
    assert not Claim.platform


def test_each_value_always_has_the_same_stream() -> None:
    streams = [
        subdomain_claim("acme"),
        subdomain_claim("acme2"),
        project_key_claim(ACME, "ENG"),
        project_key_claim(OTHER, "ENG"),
        project_key_claim(ACME, "ENGI"),
        task_number_claim(ENG, 1),
        task_number_claim(ENG, 11),
        task_number_claim(ProjectId(ACME), 1),
    ]
    assert len(set(streams)) == len(streams)
    # Stored ids: if they changed, a value could be claimed twice.
    assert str(subdomain_claim("acme")) == "583ec63e-bde6-5114-bc6a-c029cab367d2"
    assert str(project_key_claim(ACME, "ENG")) == "fff5459a-6034-5f16-8bc6-6b2aaaf0c49b"
    assert str(task_number_claim(ENG, 1)) == "b39ba4b3-af71-558e-9840-7fda270fac59"


@QUICK
@forall(st.lists(events_of(ClaimEvent), max_size=12))
def test_folding_never_raises(events: list[ClaimEvent]) -> None:
    assert isinstance(given(Claim(), *events), Claim)
