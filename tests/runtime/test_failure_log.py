import pytest

from statefun_runtime.epoch import DeadLetter, Epoch, LetterKind, Parked
from statefun_runtime.failure_log import FailureLog


def test_what_failed_for_good_is_logged_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    epoch = Epoch(1)
    epoch.parked["test/f", "a"] = Parked(0, 3, "422")
    epoch.parked["test/f", "resumed"] = None
    epoch.dead_letters.append(
        DeadLetter(0, LetterKind.MESSAGE, "test/f", (7, ("test/f", "b"), None, b""), "503", 1, {})
    )
    FailureLog().durable(epoch)
    assert caplog.messages == ["test/f/a is parked after 3 attempts: 422", "dead letter 7 for test/f: 503"]


def test_many_at_once_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    epoch = Epoch(1)
    epoch.parked.update({("test/f", str(number)): Parked(0, 1, "422") for number in range(1000)})
    FailureLog().durable(epoch)
    assert len(caplog.messages) == 11
    assert caplog.messages[-1] == "990 more addresses are parked; `statefun parked list` shows them"


def test_an_epoch_without_failures_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    FailureLog().durable(Epoch(1))
    assert caplog.messages == []


def test_dead_letters_are_counted_by_where_they_were_to_go() -> None:
    log = FailureLog()
    for number, destination in enumerate(("test/f", "test/egress", "test/f")):
        epoch = Epoch(number)
        letter = DeadLetter(0, LetterKind.MESSAGE, destination, (number, ("test/f", "b"), None, b""), "503", 1, {})
        epoch.dead_letters.append(letter)
        log.durable(epoch)
    assert log.dead_letters == {"test/f": 2, "test/egress": 1}
