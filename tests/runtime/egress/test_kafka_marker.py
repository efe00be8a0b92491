"""The marker says which epochs of which run are out."""

import pytest

from statefun_runtime.egress.kafka_marker import Marker, MarkerError, transactional_id


def test_nothing_is_out_before_the_first_marker() -> None:
    assert not Marker().has("a", 0)


def test_epochs_up_to_the_marker_are_out() -> None:
    marker = Marker().after("a", 5)
    assert [marker.has("a", epoch) for epoch in (4, 5, 6)] == [True, True, False]


def test_an_epoch_of_another_run_is_not_out_however_low_it_is() -> None:
    assert not Marker().after("a", 5).has("b", 3)


def test_what_a_former_run_sent_stays_known() -> None:
    marker = Marker().after("a", 5).after("b", 6)
    assert marker.has("a", 5)
    assert not marker.has("a", 6)


def test_the_runs_written_last_are_kept() -> None:
    marker = Marker()
    for number in range(100):
        marker = marker.after("first", number).after(f"l{number}", number)
    assert marker.has("first", 99)
    assert not marker.has("l1", 1)


def test_a_marker_survives_its_encoding() -> None:
    marker = Marker.decode(Marker().claimed_by("w").after("a", 5).after("b", 6).encode())
    assert marker.writer == "w"
    assert marker.has("a", 5)
    assert marker.has("b", 6)
    assert not marker.has("b", 7)


@pytest.mark.parametrize(
    "encoded", [b"", b"\xff", b"7", b"[1]", b'{"writer": "w"}', b'{"writer": "w", "epochs": [["a", null]]}']
)
def test_a_foreign_record_is_no_marker(encoded: bytes) -> None:
    with pytest.raises(MarkerError):
        Marker.decode(encoded)


def test_the_transactional_id_is_a_name_that_a_topic_can_have() -> None:
    assert transactional_id("shop", "com.example/out") == "shop-com.example.out"
