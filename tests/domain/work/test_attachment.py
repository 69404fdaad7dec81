"""A file is given out once it is known to be good, and its contents never change."""

import pytest

from domain.base import DomainError, NotFound
from domain.work.attachment import (
    Attachment,
    AttachmentDeleted,
    AttachmentPurged,
    AttachmentRestored,
    AttachmentScanned,
    FileInfected,
    ScanPending,
    ScanState,
)
from tests.commands.acme import attachment
from tests.domain.spec import BEN, TASK, check_refused, check_repeating_records_nothing, given

CLEAN = given(Attachment(), attachment())
PENDING = given(Attachment(), attachment(state=ScanState.PENDING))
GONE = given(CLEAN, AttachmentDeleted(task_id=TASK, deleted_by=BEN))
FOUND = AttachmentScanned(task_id=TASK, state=ScanState.INFECTED, found="Eicar")


@pytest.mark.parametrize(
    ("state", "refusal"),
    [(PENDING, ScanPending), (given(PENDING, FOUND), FileInfected), (GONE, NotFound)],
)
def test_a_file_that_is_not_known_to_be_good_is_not_given_out(
    state: Attachment, refusal: type[DomainError]
) -> None:
    check_refused(refusal, state.refuse_to_give_out)


def test_a_clean_file_is_given_out() -> None:
    CLEAN.refuse_to_give_out()
    scanned = given(PENDING, AttachmentScanned(task_id=TASK, state=ScanState.CLEAN))
    scanned.refuse_to_give_out()
    assert (CLEAN.scanned, scanned.scanned) == (False, True)


def test_the_first_verdict_counts() -> None:
    assert PENDING.scan(ScanState.INFECTED, "Eicar") == [FOUND]
    assert given(PENDING, FOUND).scan(ScanState.CLEAN, None) == []


def test_a_file_in_the_trash_is_scanned_as_well() -> None:
    gone = given(PENDING, AttachmentDeleted(task_id=TASK, deleted_by=BEN))

    assert gone.scan(ScanState.INFECTED, "Eicar") == [FOUND]


def test_the_verdict_on_a_file_that_was_purged_meanwhile_is_not_noted() -> None:
    purged = given(PENDING, AttachmentPurged(task_id=TASK))

    assert purged.scan(ScanState.CLEAN, None) == []


def test_a_deleted_attachment_can_only_be_restored() -> None:
    check_refused(NotFound, lambda: GONE.delete(BEN, None), Attachment().restore)
    assert GONE.restore() == [AttachmentRestored(task_id=TASK)]
    assert given(GONE, AttachmentRestored(task_id=TASK)) == CLEAN


def test_repeating_a_decision_records_nothing() -> None:
    check_repeating_records_nothing(
        Attachment(),
        [
            lambda state: state.upload(attachment(state=ScanState.PENDING)),
            lambda state: state.scan(ScanState.CLEAN, None),
            lambda state: state.delete(BEN, None),
            lambda state: state.restore(),
        ],
    )
