"""The generated wrappers under the module name of the first Python SDK; the code is in `statefun.protocol`."""

from statefun.protocol.types_pb2 import (
    DESCRIPTOR,
    BooleanWrapper,
    DoubleWrapper,
    FloatWrapper,
    IntWrapper,
    LongWrapper,
    StringWrapper,
)

__all__ = [
    "DESCRIPTOR",
    "BooleanWrapper",
    "DoubleWrapper",
    "FloatWrapper",
    "IntWrapper",
    "LongWrapper",
    "StringWrapper",
]
