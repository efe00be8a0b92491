"""The Kinesis egress reports an epoch when each of its records is out or refused."""

from statefun_runtime.egress.kinesis_progress import Progress
from statefun_runtime.interfaces import OutboxBatch, RecordCounts, Rejected
from tests.runtime.egress.kinesis_items import batch


def test_records_are_taken_up_in_order_as_far_as_there_is_room() -> None:
    progress = Progress(RecordCounts())
    progress.add(batch(1, ("s", "a", "1"), ("t", "b", "2")))
    progress.add(batch(2, ("s", "a", "3")))
    first = list(progress.take_up(2))
    assert [(stream, item.record.data) for stream, item in first] == [("s", b"1"), ("t", b"2")]
    assert list(progress.take_up(2)) == []
    progress.is_out(first[1][1])
    assert [item.record.data for _, item in progress.take_up(2)] == [b"3"]


def test_epochs_are_reported_in_order_when_all_of_their_records_are_settled() -> None:
    counts = RecordCounts()
    progress = Progress(counts)
    progress.add(batch(1, ("s", "a", "1"), ("s", "b", "2")))
    progress.add(batch(2, ("s", "c", "3")))
    one, two, three = (item for _, item in progress.take_up(9))
    progress.is_out(three)
    progress.is_out(one)
    assert progress.settled() == []
    progress.is_out(two)
    assert [pending.batch.epoch for pending in progress.settled()] == [1, 2]
    assert progress.settled() == []
    assert counts == RecordCounts(records=3)


def test_an_epoch_without_records_is_reported() -> None:
    progress = Progress(RecordCounts())
    progress.add(OutboxBatch("lineage", 7, []))
    assert list(progress.take_up(1)) == []
    assert [pending.batch.epoch for pending in progress.settled()] == [7]


def test_what_is_refused_keeps_its_place_and_says_where_it_was_to_go() -> None:
    progress = Progress(RecordCounts())
    progress.add(batch(1, ("s", "a", "1"), ("s", "b", "2")))
    (_, one), (_, two) = progress.take_up(9)
    progress.is_out(one)
    progress.is_refused(two, "s", "too large")
    [pending] = progress.settled()
    assert pending.refused == {
        1: Rejected("s", pending.batch.records[1], "Kinesis refuses it for the stream s: too large")
    }
    assert progress.under_way == 0


def test_what_is_no_record_is_refused_where_it_is_taken_up() -> None:
    progress = Progress(RecordCounts())
    progress.add(OutboxBatch("lineage", 1, [b"\xff"]))
    assert list(progress.take_up(1)) == []
    [pending] = progress.settled()
    assert pending.refused == {0: Rejected("", b"\xff", "the record is no KinesisEgressRecord")}
