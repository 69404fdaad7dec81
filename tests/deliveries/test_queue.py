"""Only what is due goes, in the order of the log, and one of a stream at a time."""

from datetime import UTC, datetime, timedelta

from deliveries.queue import SendQueue
from eventstore.operations.records import Delivery

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)


def delivery(seq: int, stream: str = "a", next_at: datetime = NOW) -> Delivery:
    return Delivery(
        id=f"w:{seq}",
        endpoint="w",
        org="o",
        seq=seq,
        prev=0,
        event_id="e",
        type="task.created",
        stream=stream,
        created_at=NOW,
        next_at=next_at,
    )


def queue_of(*deliveries: Delivery, ordered: bool = True) -> SendQueue:
    queue = SendQueue(ordered=ordered)
    for each in deliveries:
        queue.add(each)
    return queue


def take_all(queue: SendQueue, now: datetime = NOW) -> list[int]:
    taken: list[int] = []
    while (each := queue.take(now)) is not None:
        taken.append(each.seq)
    return taken


def end(queue: SendQueue, each: Delivery) -> None:
    each.open = False
    queue.back(each)


def test_one_delivery_of_a_stream_is_sent_at_a_time() -> None:
    queue = queue_of(delivery(1), delivery(2), delivery(3, "b"))

    assert take_all(queue) == [1, 3]


def test_in_parallel_mode_all_deliveries_may_be_sent_at_once() -> None:
    queue = queue_of(delivery(2), delivery(1), delivery(3, "b"), ordered=False)

    assert take_all(queue) == [1, 2, 3]


def test_the_next_delivery_of_a_stream_is_sent_when_the_previous_one_has_ended() -> None:
    first = delivery(1)
    queue = queue_of(first, delivery(2))
    queue.take(NOW)
    end(queue, first)

    assert take_all(queue) == [2]
    assert len(queue) == 1


def test_a_retry_holds_back_its_stream_until_it_is_due() -> None:
    first = delivery(1)
    queue = queue_of(first, delivery(2))
    queue.take(NOW)
    first.next_at = LATER
    queue.back(first)

    assert take_all(queue) == []
    assert queue.next_at(NOW) == LATER
    assert take_all(queue, LATER) == [1]


def test_an_older_delivery_that_is_put_back_goes_first() -> None:
    first = delivery(5)
    queue = queue_of(first, delivery(6))
    queue.take(NOW)
    queue.add(delivery(2))
    end(queue, first)

    assert take_all(queue) == [2]
    assert "w:5" not in queue


def test_an_empty_lane_is_forgotten() -> None:
    changes_of = delivery(1)
    queue = queue_of(changes_of)
    queue.take(NOW)
    end(queue, changes_of)

    assert (len(queue), queue.next_at(NOW), queue.take(NOW)) == (0, None, None)
