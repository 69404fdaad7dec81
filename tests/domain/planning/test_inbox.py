"""An inbox: how far it was read, and what was put away."""

from datetime import timedelta

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.planning.inbox import (
    ARCHIVED_MAX,
    DIGEST_EVERY,
    INBOX_READ_EVERY,
    SNOOZE_MAX,
    SNOOZED_MAX,
    DigestDue,
    DigestSwitched,
    Inbox,
    InboxEvent,
    InboxRead,
    NoticeArchived,
    NoticeSnoozed,
    SnoozeOutOfRange,
    TooManySnoozed,
    stream_of_inbox,
)
from tests.domain.spec import ACME, ANA, BEN, NOW, OTHER, QUICK, events_of, given

READ = given(Inbox(), InboxRead(up_to_seq=7, at=NOW))
LATER = NOW + INBOX_READ_EVERY


def test_reading_on_is_recorded_at_most_once_a_minute() -> None:
    early = LATER - timedelta(microseconds=1)

    assert Inbox().read(7, NOW) == [InboxRead(up_to_seq=7, at=NOW)]
    assert READ.read(9, early) == []
    assert READ.read(9, LATER) == [InboxRead(up_to_seq=9, at=LATER)]
    assert not READ.is_to_be_noted(early)
    assert Inbox().is_to_be_noted(NOW)


def test_what_was_read_stays_read() -> None:
    assert READ.read(7, LATER) == READ.read(3, LATER) == Inbox().read(0, NOW) == []


def test_a_notice_is_archived_once() -> None:
    archived = given(Inbox(), *Inbox().archive("7"))

    assert archived.archived == ("7",)
    assert archived.archive("7") == []
    assert archived.archive("8") == [NoticeArchived(notice="8")]


def test_the_newest_archived_notices_are_kept() -> None:
    full = Inbox(archived=tuple(map(str, range(ARCHIVED_MAX))))

    after = full.evolve(NoticeArchived(notice="new"))

    assert len(after.archived) == ARCHIVED_MAX
    assert (after.archived[0], after.archived[-1]) == ("1", "new")


def test_a_notice_is_snoozed_until_a_time_ahead() -> None:
    snoozed = given(Inbox(), *Inbox().snooze("7", LATER, NOW))

    assert dict(snoozed.snoozed) == {"7": LATER}
    assert snoozed.snooze("7", LATER, NOW) == []
    assert snoozed.snooze("7", None, NOW) == [NoticeSnoozed(notice="7", until=None)]
    assert given(snoozed, *snoozed.snooze("7", None, NOW)) == Inbox()
    assert Inbox().snooze("7", None, NOW) == []
    assert Inbox().snooze("7", NOW + SNOOZE_MAX, NOW) != []
    for wrong in (NOW, NOW - SNOOZE_MAX, NOW + SNOOZE_MAX + timedelta(microseconds=1)):
        with pytest.raises(SnoozeOutOfRange):
            Inbox().snooze("7", wrong, NOW)


def test_a_notice_is_snoozed_or_archived() -> None:
    snoozed = given(Inbox(), *Inbox().snooze("7", LATER, NOW))
    archived = given(snoozed, *snoozed.archive("7"))

    assert (dict(archived.snoozed), archived.archived) == ({}, ("7",))
    assert given(archived, *archived.snooze("7", LATER, NOW)) == snoozed
    assert given(archived, *archived.snooze("7", None, NOW)) == Inbox()


def test_a_notice_that_came_back_makes_room_and_one_that_did_not_does_not() -> None:
    full = Inbox()
    for number in range(SNOOZED_MAX):
        full = given(full, *full.snooze(str(number), LATER + number * INBOX_READ_EVERY, NOW))

    with pytest.raises(TooManySnoozed):
        full.snooze("new", LATER, NOW)
    assert full.snooze("3", LATER, NOW) != []

    after = given(full, *full.snooze("new", LATER + INBOX_READ_EVERY, LATER))
    assert len(after.snoozed) == SNOOZED_MAX
    assert "0" not in after.snoozed


def test_a_digest_is_off_until_it_is_turned_on_and_then_due_once_in_a_while() -> None:
    on = DigestSwitched(user_id=ANA, organization_id=ACME, on=True, at=NOW)
    off = DigestSwitched(user_id=ANA, organization_id=ACME, on=False, at=NOW)
    with_digest, later = given(Inbox(), on), NOW + DIGEST_EVERY
    due = DigestDue(user_id=ANA, organization_id=ACME, at=later)

    assert Inbox().note_due_digest(NOW) == Inbox().switch_digest(off) == []
    assert Inbox().switch_digest(on) == [on]
    assert with_digest.switch_digest(on) == []
    assert with_digest.switch_digest(off) == [off]
    assert with_digest.note_due_digest(later - timedelta(microseconds=1)) == []
    assert with_digest.note_due_digest(later) == [due]
    assert given(with_digest, due).note_due_digest(later) == []
    assert given(with_digest, off).note_due_digest(later) == []


def test_everybody_has_one_inbox_in_each_organization() -> None:
    assert len({stream_of_inbox(user, org) for user in (ANA, BEN) for org in (ACME, OTHER)}) == 4


@QUICK
@forall(st.lists(events_of(InboxEvent), max_size=12))
def test_folding_never_raises(events: list[InboxEvent]) -> None:
    assert isinstance(given(Inbox(), *events), Inbox)
