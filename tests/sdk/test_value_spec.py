"""Value specs and expirations."""

from datetime import timedelta

import pytest

from statefun import Expiration, IntType, ValueSpec

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
    assert all(part in str(spec) for part in ("seen", "io.statefun.types/int", "1:00:00"))


@pytest.mark.parametrize("name", ["", "1st", "with space", "naïve", "a-b", "__class__", "trailing\n"])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        ValueSpec(name, IntType)


def test_get_set_and_remove_are_legal_names() -> None:
    assert [ValueSpec(name, IntType).name for name in ("get", "set", "remove")] == ["get", "set", "remove"]


def test_an_expiration_is_after_a_call_after_a_write_or_never() -> None:
    assert ValueSpec("a", IntType, expiration=Expiration.after_call(HOUR)).after_call
    assert ValueSpec("a", IntType, HOUR).expiration == Expiration.after_call(HOUR)
    assert ValueSpec("a", IntType).expiration == Expiration.none()
    assert len({str(Expiration.none()), str(Expiration.after_call(HOUR)), str(Expiration.after_write(HOUR))}) == 3


@pytest.mark.parametrize("duration", [timedelta(0), timedelta(seconds=-1)])
def test_a_duration_that_is_not_positive_is_refused(duration: timedelta) -> None:
    for make in (Expiration.after_call, Expiration.after_write):
        with pytest.raises(ValueError, match=r"\S"):
            make(duration)


def test_two_expirations_are_refused() -> None:
    with pytest.raises(ValueError, match="seen"):
        ValueSpec("seen", IntType, expire_after_call=HOUR, expire_after_write=HOUR)
