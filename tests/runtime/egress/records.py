"""Records for egresses."""

from collections.abc import Sequence

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.protocol.types_pb2 import StringWrapper
from statefun_runtime.interfaces import Payload


def typed(typename: str, value: bytes) -> Payload:
    return TypedValue(typename=typename, has_value=True, value=value).SerializeToString()


def texts(*values: str) -> Sequence[Payload]:
    return [typed("io.statefun.types/string", StringWrapper(value=value).SerializeToString()) for value in values]
