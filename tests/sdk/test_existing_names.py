"""What applications of the existing Python SDK import and subclass is here."""

import importlib
from datetime import timedelta
from typing import Any

import pytest

import statefun
from statefun import Context, Message, SdkAddress, StringType, egress_message_builder, message_builder


def test_a_star_import_brings_every_public_name() -> None:
    names: dict[str, Any] = {}
    exec("from statefun import *", names)
    assert [name for name in statefun.__all__ if names.get(name) is not getattr(statefun, name)] == []


@pytest.mark.parametrize(
    ("module", "messages"),
    [
        ("request_reply_pb2", ["ToFunction", "FromFunction", "TypedValue", "Address"]),
        (
            "types_pb2",
            ["BooleanWrapper", "IntWrapper", "LongWrapper", "FloatWrapper", "DoubleWrapper", "StringWrapper"],
        ),
        ("kafka_egress_pb2", ["KafkaProducerRecord"]),
        ("kinesis_egress_pb2", ["KinesisEgressRecord"]),
    ],
)
def test_the_generated_modules_are_where_they_were(module: str, messages: list[str]) -> None:
    imported = importlib.import_module(f"statefun.{module}")
    for message in messages:
        assert getattr(imported, message)().SerializeToString() == b""


class OwnContext(Context):
    """As tests of applications write one."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    @property
    def address(self) -> SdkAddress:
        return SdkAddress(namespace="example", name="greeter", id="bob", typename="example/greeter")

    @property
    def storage(self) -> Any:
        return {}

    @property
    def caller(self) -> None:
        return None

    def send(self, message: Any) -> None:
        self.sent.append(message)


def test_a_context_of_an_applications_own_needs_three_properties() -> None:
    context = OwnContext()
    message = message_builder("example/next", "id", str_value="x")
    for each in (context, context.derive(trace="t-1")):
        each.send(message)
        each.send_after(timedelta(0), message)
        each.cancel_delayed_message("t")
        each.send_egress(egress_message_builder("example/out", "x", StringType))
        assert each.address.id == "bob"
        assert each.caller is None
        assert not each.storage
    assert context.sent == [message, message]
    assert dict(context.values) == {}


def test_a_context_without_the_three_properties_cannot_be_made() -> None:
    class Nothing(Context):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Nothing()  # type: ignore[abstract]


async def test_a_context_of_an_applications_own_starts_no_tasks() -> None:
    async def never() -> None:
        raise AssertionError

    with pytest.raises(NotImplementedError, match="OwnContext"):
        OwnContext().create_task(never())


def test_a_typed_value_may_be_replaced() -> None:
    message: Message = message_builder("example/next", "id", str_value="x")
    egress = egress_message_builder("example/out", "y", StringType)
    message.typed_value = egress.typed_value
    assert message.as_string() == "y"
