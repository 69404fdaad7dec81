"""The audit trail: every export is an event of its own, and each epoch begins once."""

from domain.audit import AuditExported, AuditTrail, LogRestored
from tests.domain.spec import given

EXPORTED = AuditExported(from_=1, to=9, format="jsonl")
RESTORED = LogRestored(epoch=2, kept=7)


def test_every_export_is_recorded_and_counted() -> None:
    assert AuditTrail().export(1, 9, "jsonl") == [EXPORTED]
    twice = given(AuditTrail(), EXPORTED, EXPORTED)
    assert twice.export(1, 9, "jsonl") == [EXPORTED]
    assert twice.exports == 2


def test_an_epoch_begins_once_and_no_earlier_one_after_it() -> None:
    second = given(AuditTrail(), *AuditTrail().restore(RESTORED))

    assert second.epoch == 2
    assert second.restore(RESTORED) == []
    assert second.restore(LogRestored(epoch=1, kept=7)) == []
    assert second.restore(LogRestored(epoch=3, kept=7)) != []
