"""The Java clients' properties become settings; what cannot be honoured is an error without its value."""

import pytest

from statefun_runtime.kinesis.properties import MOST_BYTES, MOST_RECORDS, PropertyError, Role, translate
from statefun_runtime.kinesis.property_table import EGRESS, IGNORED, INGRESS, REFUSED

SECRET = "hunter2"


def test_times_are_milliseconds_and_names_may_begin_with_a_small_letter() -> None:
    settings = translate({"SocketTimeout": "9999", "connectionTimeout": "500", "MaxConnections": "7"}, Role.INGRESS)
    assert (settings.read_timeout, settings.connect_timeout, settings.max_pool_connections) == (9.999, 0.5, 7)


def test_the_egress_has_the_names_of_the_producer_library() -> None:
    settings = translate({"RequestTimeout": "6000", "CollectionMaxCount": "20"}, Role.EGRESS)
    assert (settings.read_timeout, settings.most_records) == (6.0, 20)


def test_no_request_exceeds_what_the_service_takes() -> None:
    settings = translate({"CollectionMaxCount": "9999", "CollectionMaxSize": "99999999"}, Role.EGRESS)
    assert (settings.most_records, settings.most_bytes) == (MOST_RECORDS, MOST_BYTES)


@pytest.mark.parametrize(
    ("name", "value"),
    [("SocketTimeout", SECRET), ("MaxErrorRetry", "-1"), ("UseTcpKeepAlive", SECRET)],
)
def test_a_value_that_cannot_be_read_is_an_error_that_does_not_show_it(name: str, value: str) -> None:
    with pytest.raises(PropertyError, match=f"the property {name} must be") as raised:
        translate({name: value}, Role.INGRESS)
    assert value not in str(raised.value)


def test_a_time_of_nothing_is_an_error() -> None:
    with pytest.raises(PropertyError, match="SocketTimeout must be a whole number, more than 0"):
        translate({"SocketTimeout": "0"}, Role.INGRESS)


def test_an_unknown_name_is_an_error_with_the_nearest_one() -> None:
    with pytest.raises(PropertyError, match="SocketTimeOut2 is unknown; did you mean SocketTimeout"):
        translate({"SocketTimeOut2": SECRET}, Role.INGRESS)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_must_not_be_passed_over_is_an_error_with_a_reason(name: str) -> None:
    for role in Role:
        with pytest.raises(PropertyError, match=f"{name} cannot be honoured: .") as raised:
            translate({name: SECRET}, role)
        assert SECRET not in str(raised.value)


@pytest.mark.parametrize("name", sorted(IGNORED))
def test_tuning_without_a_counterpart_is_left_out_with_a_warning(name: str) -> None:
    assert translate({name: SECRET}, Role.EGRESS).warnings == (
        f"the property {name} is left out: it has no meaning here",
    )


def test_each_name_has_one_fate() -> None:
    assert not (INGRESS.keys() | EGRESS.keys()) & (REFUSED.keys() | IGNORED)
    assert not REFUSED.keys() & IGNORED
