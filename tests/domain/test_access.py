"""The access record: reading the audit log is recorded once an hour."""

from domain.access import READ_EVERY, AccessRecord, AuditRead, access_record
from tests.domain.spec import ACME, ANA, BEN, NOW, OTHER, SECOND, given


def test_reading_the_audit_log_is_recorded_once_an_hour() -> None:
    read = given(AccessRecord(), *AccessRecord().read_audit(ANA, NOW))

    assert read.read_audit(ANA, NOW + READ_EVERY - SECOND) == []
    assert read.read_audit(ANA, NOW + READ_EVERY) == [AuditRead(user_id=ANA, at=NOW + READ_EVERY)]


def test_every_person_has_a_record_in_every_organization() -> None:
    records = {access_record(org, user) for org in (ACME, OTHER) for user in (ANA, BEN)}

    assert len(records) == 4
