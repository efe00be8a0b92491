"""Value specs and expirations."""

from datetime import timedelta
from typing import Any

import pytest

from statefun import Expiration, ExpireMode, IntType, ValueSpec

HOUR = timedelta(hours=1)


def test_a_spec_has_a_name_a_type_and_an_expiration() -> None:
    spec = ValueSpec("seen", IntType, expire_after_write=HOUR)
    assert (spec.name, spec.type, spec.after_write, spec.after_call, spec.duration) == (
        "seen",
        IntType,
        True,
        False,
        3_600_000,
    )
    assert str(spec) == "ValueSpec(seen, io.statefun.types/int, Expiration(after write, 1:00:00))"


@pytest.mark.parametrize("name", ["", "1st", "with space", "naïve", "a-b", "__class__", "trailing\n"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        ValueSpec(name, IntType)


@pytest.mark.parametrize("name", ["get", "set", "remove", "class", "_", "_seen", "lastSeen", "SEEN", "a1", "__seen"])
def test_a_name_is_ascii_letters_digits_and_underscores(name: str) -> None:
    assert ValueSpec(name, IntType).name == name


@pytest.mark.parametrize("name", ["seen", "type", "expiration", "after_call", "after_write", "duration"])
def test_a_spec_cannot_be_changed(name: str) -> None:
    spec = ValueSpec("seen", IntType)
    with pytest.raises(AttributeError):
        setattr(spec, name, "other")
    assert str(spec) == "ValueSpec(seen, io.statefun.types/int, Expiration(none))"


@pytest.mark.parametrize(("tpe", "error"), [(None, ValueError), ("io.statefun.types/int", TypeError), (int, TypeError)])
def test_a_type_that_is_none_is_refused(tpe: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="the type of the value spec 'seen'"):
        ValueSpec("seen", tpe)


def test_an_expiration_is_after_a_call_after_a_write_or_never() -> None:
    assert ValueSpec("a", IntType, expiration=Expiration.after_call(HOUR)).after_call
    assert ValueSpec("a", IntType, HOUR).expiration == Expiration.after_call(HOUR)
    assert ValueSpec("a", IntType).expiration == Expiration.none()
    assert str(Expiration.none()) == "Expiration(none)"
    assert str(Expiration.after_call(HOUR)) == "Expiration(after call, 1:00:00)"
    assert str(Expiration.after_write(HOUR)) == "Expiration(after write, 1:00:00)"
    assert Expiration.after_call(HOUR) == Expiration.after_call(HOUR) != Expiration.after_write(HOUR)


@pytest.mark.parametrize("duration", [timedelta(0), timedelta(seconds=-1), timedelta(microseconds=999)])
def test_a_duration_that_is_not_positive_is_refused(duration: timedelta) -> None:
    for make in (Expiration.after_call, Expiration.after_write):
        with pytest.raises(ValueError, match=r"\S"):
            make(duration)
    for argument in ("expire_after_call", "expire_after_write"):
        expiration: dict[str, Any] = {argument: duration}
        with pytest.raises(ValueError, match="at least one millisecond"):
            ValueSpec("seen", IntType, **expiration)


def test_a_duration_without_a_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="use after_call or after_write"):
        Expiration(ExpireMode.NONE, HOUR)


def test_a_duration_is_counted_in_whole_milliseconds() -> None:
    for milliseconds in (1, 1001, 1009, 86_400_001):
        assert ValueSpec("seen", IntType, timedelta(milliseconds=milliseconds)).duration == milliseconds
    assert ValueSpec("seen", IntType, timedelta(microseconds=1999)).duration == 1


@pytest.mark.parametrize(
    "expirations",
    [
        {"expire_after_call": HOUR, "expire_after_write": HOUR},
        {"expire_after_call": HOUR, "expiration": Expiration.after_call(HOUR)},
        {"expire_after_write": HOUR, "expiration": Expiration.none()},
    ],
)
def test_two_expirations_are_refused(expirations: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="'seen' has more than one expiration"):
        ValueSpec("seen", IntType, **expirations)
