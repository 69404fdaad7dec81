"""Redaction: what was redacted of a thing is counted, in a stream of its own."""

from domain.redaction import ContentRedacted, RedactedTexts, Redaction, redaction_of
from tests.domain.spec import ENG, TASK, given

REDACTED = ContentRedacted(
    of=TASK, task_id=TASK, texts=(RedactedTexts(3, ("title",)),), reason="A password"
)


def test_every_redaction_is_counted() -> None:
    assert Redaction().times == 0
    assert given(Redaction(), REDACTED, REDACTED).times == 2


def test_each_thing_has_a_stream_of_its_own() -> None:
    assert redaction_of(TASK) != redaction_of(ENG)
    assert redaction_of(TASK) not in {TASK, ENG}
    assert redaction_of(TASK) == redaction_of(TASK)
