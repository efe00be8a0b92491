import pytest

from statefun_runtime.engine.limits import Limits
from statefun_runtime.engine.outbox import Outbox
from statefun_runtime.epoch import Epoch, OutboxEntry
from statefun_runtime.interfaces import OutboxBatch

OUT, OTHER = "test/out", "test/other"


def outbox(*sizes: int, memory: int = 100, limit: int = 1000) -> Outbox:
    """An outbox as after a restart, with an epoch of each size for `OUT`."""
    entries = [OutboxEntry(epoch, size) for epoch, size in enumerate(sizes, 1)]
    return Outbox({OUT: entries}, [OUT, OTHER], Limits(outbox_memory=memory, outbox_limit=limit))


def handed(box: Outbox, egress: str = OUT) -> list[int]:
    epochs: list[int] = []
    while (epoch := box.next(egress)) is not None:
        epochs.append(epoch)
    return epochs


def test_an_egress_is_handed_what_fits_into_its_memory_and_the_rest_as_it_releases() -> None:
    box = outbox(60, 40, 50, 50, 1)
    assert handed(box) == [1, 2]
    box.released(OUT, 1, None, Epoch(9))
    assert handed(box) == [3]
    box.released(OUT, 3, None, Epoch(9))
    assert handed(box) == [4, 5]


def test_an_epoch_larger_than_all_of_the_memory_is_handed_alone() -> None:
    box = outbox(10, 500, 10)
    assert handed(box) == [1]
    box.released(OUT, 1, None, Epoch(9))
    assert handed(box) == [2]
    box.released(OUT, 2, None, Epoch(9))
    assert handed(box) == [3]


def test_a_new_epoch_goes_to_an_egress_with_room_at_once_but_not_past_one_that_waits() -> None:
    box = outbox(60)
    assert not box.durable(OUT, OutboxEntry(2, 1))
    assert handed(box) == [1, 2]
    assert box.durable(OUT, OutboxEntry(3, 39))
    assert not box.durable(OUT, OutboxEntry(4, 1))


def test_while_egresses_take_nothing_everything_stays_on_disk_and_comes_in_order_later() -> None:
    box = outbox(10)
    box.is_open = False
    assert not box.durable(OUT, OutboxEntry(2, 10))
    assert handed(box) == []
    box.is_open = True
    assert handed(box) == [1, 2]


def test_egresses_do_not_share_their_memory() -> None:
    box = outbox(100, 100)
    assert handed(box) == [1]
    assert box.durable(OTHER, OutboxEntry(3, 100))


def test_what_waits_on_disk_cannot_be_released() -> None:
    box, epoch = outbox(100, 100), Epoch(9)
    handed(box)
    box.released(OUT, 2, None, epoch)
    assert epoch.outbox_gone == [(OUT, 1)]
    assert handed(box) == [2]


def test_an_egress_above_the_limit_is_full_until_it_has_released_a_quarter() -> None:
    box = outbox(10, 15, 25, 50, limit=100)
    handed(box)
    assert not box.full
    box.add(OUT, 1)
    assert (box.full, box.size(OUT)) == ({OUT}, 101)
    box.durable(OUT, OutboxEntry(5, 1))
    box.released(OUT, 2, None, Epoch(9))
    assert (box.full, box.size(OUT)) == ({OUT}, 76)
    box.released(OUT, 3, None, Epoch(9))
    assert (box.full, box.size(OUT)) == (set(), 51)


def test_an_egress_may_be_full_after_a_restart() -> None:
    assert outbox(101, limit=100).full == {OUT}


@pytest.mark.parametrize("records", [[], [b""], [b"123", b"45"]])
def test_the_size_of_an_entry_counts_bytes_and_records(records: list[bytes]) -> None:
    assert OutboxEntry.of(OutboxBatch("lineage", 7, records)) == (7, sum(map(len, records)) + 200 * len(records))
