"""Errors: each is a StatefunError, and the built-in error that Python code would expect in its place."""

from datetime import timedelta

import pytest

from statefun import (
    ContextEndedError,
    ProtocolError,
    RegistrationError,
    Reject,
    RetryLater,
    StatefunError,
    StateTypeError,
    UndeclaredStateError,
    UnknownFunctionError,
)


@pytest.mark.parametrize(
    ("error", "built_in"),
    [
        (RegistrationError, ValueError),
        (UnknownFunctionError, KeyError),
        (ProtocolError, ValueError),
        (UndeclaredStateError, AttributeError),
        (StateTypeError, TypeError),
        (ContextEndedError, RuntimeError),
    ],
)
def test_an_error_is_also_the_built_in_one(error: type[Exception], built_in: type[Exception]) -> None:
    assert issubclass(error, StatefunError)
    assert issubclass(error, built_in)
    assert str(error("the 'reason'")) == "the 'reason'"


def test_retry_later_has_a_time_and_a_reason() -> None:
    assert (RetryLater(timedelta(0)).after, str(RetryLater(timedelta(seconds=3)))) == (
        timedelta(0),
        "retry after 0:00:03",
    )
    assert str(RetryLater(timedelta(seconds=3), "closed")) == "closed"
    with pytest.raises(ValueError, match="must not be negative"):
        RetryLater(timedelta(seconds=-1))


def test_a_rejection_has_a_reason() -> None:
    assert (Reject("poison").reason, str(Reject("poison"))) == ("poison", "poison")
