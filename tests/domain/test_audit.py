"""The audit trail: every export is an event of its own."""

from domain.audit import AuditExported, AuditTrail
from tests.domain.spec import given

EXPORTED = AuditExported(from_=1, to=9, format="jsonl")


def test_every_export_is_recorded_and_counted() -> None:
    assert AuditTrail().export(1, 9, "jsonl") == [EXPORTED]
    twice = given(AuditTrail(), EXPORTED, EXPORTED)
    assert twice.export(1, 9, "jsonl") == [EXPORTED]
    assert twice.exports == 2
