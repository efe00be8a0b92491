"""Records that the Kinesis Producer Library aggregated are split; all others stay as they are."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.ingress.kinesis_aggregation import UserRecord, hash_of, user_records
from tests.runtime.kinesis.aggregated import aggregated, body, envelope

RECORDS = [("a", b"1"), ("b", b""), ("a", b"3" * 300), ("ключ", b"\xff")]


def test_user_records_come_out_in_order_with_their_keys() -> None:
    assert user_records(aggregated(RECORDS)) == [UserRecord(key, data, hash_of(key)) for key, data in RECORDS]


def test_an_explicit_hash_key_wins_over_that_of_the_partition_key() -> None:
    last = (1 << 128) - 1
    assert [user.hash_key for user in user_records(aggregated(RECORDS, [0, last])) or ()] == [
        0,
        last,
        hash_of("a"),
        hash_of("ключ"),
    ]


def test_the_hash_of_a_partition_key_is_its_md5() -> None:
    assert hash_of("a") == int(hashlib.md5(b"a").hexdigest(), 16)


@pytest.mark.parametrize("data", [b"", b"plain", b"\xf3\x89\x9a\xc2", b"\xf3\x89\x9a\xc2" + bytes(16)])
def test_a_record_without_the_format_is_none(data: bytes) -> None:
    assert user_records(data) is None


def test_a_wrong_checksum_makes_it_a_record_like_any_other() -> None:
    data = bytearray(aggregated(RECORDS))
    data[7] ^= 1
    assert user_records(bytes(data)) is None


@pytest.mark.parametrize(
    "encoded",
    [
        body(RECORDS)[:-1],
        b"\x1a\x04\x08\x00\x1a\x00",  # an index that no table has
        b"\x1a\x02\x08\x00",  # no data
        b"\x0a\x01\xff",  # a key that is not UTF-8
        b"\x12\x01x",  # a hash key that is no number
        b"\x08\x01",  # a number for a key
        b"\x0b",  # a group
        b"\x0a" + b"\xff" * 11,  # a number without an end
    ],
)
def test_what_has_a_checksum_but_not_the_format_is_a_record_like_any_other(encoded: bytes) -> None:
    assert user_records(envelope(encoded)) is None


@given(st.binary(max_size=60))
def test_no_bytes_are_an_error(encoded: bytes) -> None:
    found = user_records(envelope(encoded))
    assert found is None or all(user.partition_key is not None for user in found)


def test_fields_of_later_versions_are_passed_over() -> None:
    tags = b"\x20\x07" + b"\x29" + bytes(8) + b"\x35" + bytes(4) + b"\x3a\x01x"
    assert user_records(envelope(body([("a", b"1")]) + tags)) == [UserRecord("a", b"1", hash_of("a"))]
