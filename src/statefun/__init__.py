"""Stateful Functions in Python: addressable functions with durable state and exactly-once messages.

`statefun.testing` runs functions in plain tests. `statefun.effects`, `statefun.invocation` and `statefun.storage` are
for runtimes that host functions.
"""

from statefun.address import Address, SdkAddress
from statefun.aws_lambda import aws_lambda
from statefun.cancellation import CancellationToken
from statefun.context import Context
from statefun.custom_types import (
    make_json_type,
    make_protobuf_type,
    make_protobuf_type_with_typename,
    simple_type,
)
from statefun.egress import (
    EgressBuilder,
    EgressMessage,
    GenericEgressBuilder,
    KafkaEgressBuilder,
    KinesisEgressBuilder,
    egress_message_builder,
    kafka_egress_message,
    kinesis_egress_message,
)
from statefun.errors import (
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
from statefun.function_spec import StatefulFunction, StatefulFunctionSpec
from statefun.functions import StatefulFunctions
from statefun.handler import RequestReplyHandler
from statefun.message import Message, MessageBuilder, message_builder
from statefun.primitive_types import (
    BoolType,
    DoubleType,
    Float32Type,
    Float64Type,
    FloatType,
    Int32Type,
    Int64Type,
    IntType,
    LongType,
    StringType,
)
from statefun.storage import AddressScopedStorage
from statefun.typed_value import Header
from statefun.typename import TypeName
from statefun.types import SimpleType, Type, TypeSerializer
from statefun.value_spec import Expiration, ExpireMode, ValueSpec
from statefun.version import __version__ as __version__

__all__ = [
    "Address",
    "AddressScopedStorage",
    "BoolType",
    "CancellationToken",
    "Context",
    "ContextEndedError",
    "DoubleType",
    "EgressBuilder",
    "EgressMessage",
    "Expiration",
    "ExpireMode",
    "Float32Type",
    "Float64Type",
    "FloatType",
    "GenericEgressBuilder",
    "Header",
    "Int32Type",
    "Int64Type",
    "IntType",
    "KafkaEgressBuilder",
    "KinesisEgressBuilder",
    "LongType",
    "Message",
    "MessageBuilder",
    "ProtocolError",
    "RegistrationError",
    "Reject",
    "RequestReplyHandler",
    "RetryLater",
    "SdkAddress",
    "SimpleType",
    "StateTypeError",
    "StatefulFunction",
    "StatefulFunctionSpec",
    "StatefulFunctions",
    "StatefunError",
    "StringType",
    "Type",
    "TypeName",
    "TypeSerializer",
    "UndeclaredStateError",
    "UnknownFunctionError",
    "ValueSpec",
    "aws_lambda",
    "egress_message_builder",
    "kafka_egress_message",
    "kinesis_egress_message",
    "make_json_type",
    "make_protobuf_type",
    "make_protobuf_type_with_typename",
    "message_builder",
    "simple_type",
]
