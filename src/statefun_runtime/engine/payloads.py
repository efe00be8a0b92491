"""What the engine looks at in an encoded `TypedValue`: its typename, and nothing else."""

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import Payload


def type_prefix(typename: str) -> bytes:
    """How a value of this type begins when its fields are written in order, as every known encoder does."""
    return TypedValue(typename=typename).SerializeToString()


def typename_of(payload: Payload) -> str:
    """The typename of a value, however its fields are ordered."""
    return TypedValue.FromString(payload).typename
