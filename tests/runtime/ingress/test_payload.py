import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.protocol.types_pb2 import StringWrapper
from statefun_runtime.ingress.payload import STRING, text_encoder, value_encoder

SIZES = [0, 1, 126, 127, 128, 129, 16_382, 16_383, 16_384, 16_385, 70_000, 2_097_151, 2_097_153]


@pytest.mark.parametrize("size", SIZES)
def test_a_value_is_encoded_as_protobuf_encodes_it(size: int) -> None:
    value = b"v" * size
    expected = TypedValue(typename="example/Value", has_value=True, value=value)
    assert value_encoder("example/Value")(value) == expected.SerializeToString()


@pytest.mark.parametrize("size", SIZES)
def test_a_text_is_encoded_as_protobuf_encodes_it(size: int) -> None:
    text = "t" * size
    wrapped = StringWrapper(value=text).SerializeToString()
    expected = TypedValue(typename=STRING, has_value=True, value=wrapped)
    assert text_encoder()(text.encode()) == expected.SerializeToString()


def test_a_long_typename_is_encoded_as_protobuf_encodes_it() -> None:
    typename = "n" * 200 + "/ä"
    expected = TypedValue(typename=typename, has_value=True, value=b"1")
    assert value_encoder(typename)(b"1") == expected.SerializeToString()
