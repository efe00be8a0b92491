"""The public names of the SDK: a name that goes breaks applications, one that comes is a promise."""

import inspect

import statefun

EXISTING_SDK = """
BoolType Context DoubleType EgressMessage FloatType IntType LongType Message RequestReplyHandler SdkAddress
StatefulFunctions StringType Type TypeSerializer ValueSpec egress_message_builder kafka_egress_message
kinesis_egress_message make_json_type make_protobuf_type message_builder simple_type
""".split()  # noqa: SIM905  a list of words reads better

ADDED = """
Address AddressScopedStorage CancellationToken ContextEndedError EgressBuilder Expiration ExpireMode Float32Type
Float64Type GenericEgressBuilder Header Int32Type Int64Type KafkaEgressBuilder KinesisEgressBuilder MessageBuilder
ProtocolError RegistrationError Reject RetryLater SimpleType StateTypeError StatefulFunction StatefulFunctionSpec
StatefunError TypeName UndeclaredStateError UnknownFunctionError aws_lambda make_protobuf_type_with_typename
""".split()  # noqa: SIM905  a list of words reads better


def test_the_public_names_are_those_of_the_existing_sdk_and_ours() -> None:
    assert sorted(statefun.__all__) == sorted([*EXISTING_SDK, *ADDED])


def test_every_public_name_is_there() -> None:
    assert [name for name in statefun.__all__ if not hasattr(statefun, name)] == []


def test_every_public_class_and_function_has_a_docstring() -> None:
    public = {name: getattr(statefun, name) for name in statefun.__all__}
    ours = {name: value for name, value in public.items() if inspect.isclass(value) or inspect.isfunction(value)}
    assert len(ours) > 30
    assert [name for name, value in ours.items() if not value.__doc__] == []
