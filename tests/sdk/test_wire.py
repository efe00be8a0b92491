"""What is encoded without protobuf is, byte for byte, what protobuf would write."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from statefun import EgressMessage, Message, StringType, ValueSpec, kafka_egress_message
from statefun.effects import ResponseEffects
from statefun.protocol.request_reply_pb2 import FromFunction, TypedValue
from statefun.storage import StorageSchema
from statefun.typename import split_typename

# The lengths around those where a varint gets longer and where the table of lengths ends.
LENGTHS = st.sampled_from([1, 60, 100, 127, 128, 1900, 2047, 2048, 16_383, 16_384, 70_000])
TEXTS = st.text(max_size=20) | LENGTHS.map(lambda length: "é" * length)
SOME_TEXT = TEXTS.filter(bool)
VALUES = st.binary(max_size=20) | LENGTHS.map(bytes)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=20)
TYPENAMES = st.builds("{}/{}".format, NAMES | LENGTHS.map(lambda length: "n" * length), NAMES)
SOURCES = st.tuples(TEXTS, VALUES)
STATES = (ValueSpec("first", StringType), ValueSpec("second_of_them", StringType))


def typed_value(source: tuple[str, bytes]) -> TypedValue:
    typename, value = source
    return TypedValue(typename=typename, has_value=True, value=value)


def forms(source: tuple[str, bytes]) -> list[tuple[str, bytes] | bytes | TypedValue]:
    value = typed_value(source)
    return [source, value.SerializeToString(), value]


def finished(effects: ResponseEffects) -> bytes:
    return effects.finish(StorageSchema("example/f").open({}))


@given(typename=TYPENAMES, id_=SOME_TEXT, source=SOURCES)
@example(typename="n/f", id_="i", source=("t/t", b""))
def test_a_message_is_encoded_as_protobuf_does(typename: str, id_: str, source: tuple[str, bytes]) -> None:
    expected = FromFunction()
    message = expected.invocation_result.outgoing_messages.add()
    message.target.namespace, message.target.type = split_typename(typename)
    message.target.id = id_
    message.argument.CopyFrom(typed_value(source))
    for form in forms(source):
        effects = ResponseEffects()
        effects.send(Message(typename, id_, form))
        assert finished(effects) == expected.SerializeToString()


@given(typename=TYPENAMES, id_=SOME_TEXT, source=SOURCES, delay=st.integers(0, 2**62), token=TEXTS)
def test_delayed_messages_and_cancellations_are_encoded_as_protobuf_does(
    typename: str, id_: str, source: tuple[str, bytes], delay: int, token: str
) -> None:
    expected = FromFunction()
    message = expected.invocation_result.delayed_invocations.add(delay_in_ms=delay, cancellation_token=token)
    message.target.namespace, message.target.type = split_typename(typename)
    message.target.id = id_
    message.argument.CopyFrom(typed_value(source))
    expected.invocation_result.delayed_invocations.add(is_cancellation_request=True, cancellation_token=token)
    for form in forms(source):
        effects = ResponseEffects()
        effects.send_after(delay, Message(typename, id_, form), token)
        effects.cancel(token)
        assert finished(effects) == expected.SerializeToString()


@given(typename=TYPENAMES, source=SOURCES)
@example(typename="n/e", source=("t/t", b""))
def test_an_egress_message_is_encoded_as_protobuf_does(typename: str, source: tuple[str, bytes]) -> None:
    expected = FromFunction()
    message = expected.invocation_result.outgoing_egresses.add()
    message.egress_namespace, message.egress_type = split_typename(typename)
    message.argument.CopyFrom(typed_value(source))
    for form in forms(source):
        effects = ResponseEffects()
        effects.egress(EgressMessage(typename, form))
        assert finished(effects) == expected.SerializeToString()


@given(written=st.lists(st.none() | TEXTS, min_size=2, max_size=2))
@example(written=["", None])
def test_what_a_storage_wrote_is_encoded_as_protobuf_does(written: Sequence[str | None]) -> None:
    expected = FromFunction()
    storage = StorageSchema("example/f", STATES).open(dict.fromkeys(spec.name for spec in STATES))
    for spec, text in zip(STATES, written, strict=True):
        mutation = expected.invocation_result.state_mutations.add(state_name=spec.name)
        if text is None:
            storage.remove(spec)
        else:
            storage.set(spec, text)
            mutation.mutation_type = FromFunction.PersistedValueMutation.MODIFY
            mutation.state_value.CopyFrom(typed_value((spec.type.typename, StringType.serialize(text))))
    assert ResponseEffects().finish(storage) == expected.SerializeToString()


def test_all_effects_of_a_batch_come_in_the_order_of_the_protocol() -> None:
    effects = ResponseEffects()
    for number in range(3):
        effects.egress(EgressMessage("n/e", ("t/t", bytes(number))))
        effects.send_after(number, Message("n/f", "i", ("t/t", bytes(number))), "")
        effects.send(Message("n/f", "i", ("t/t", bytes(number))))
    storage = StorageSchema("example/f", STATES).open(dict.fromkeys(spec.name for spec in STATES))
    storage.first = "text"
    encoded = effects.finish(storage)
    reply = FromFunction.FromString(encoded)
    assert reply.SerializeToString() == encoded
    result = reply.invocation_result
    assert [each.argument.value for each in result.outgoing_messages] == [b"", b"\0", b"\0\0"]
    assert [each.delay_in_ms for each in result.delayed_invocations] == [0, 1, 2]
    assert [each.argument.value for each in result.outgoing_egresses] == [b"", b"\0", b"\0\0"]
    assert len(result.state_mutations) == 1


@pytest.mark.parametrize("text", ["\ud800", 3, b"\xff"])
def test_what_protobuf_takes_for_no_text_is_refused(text: str) -> None:
    with pytest.raises((TypeError, UnicodeError)):
        ResponseEffects().send(Message("n/f", text, ("t/t", b"")))
    with pytest.raises((TypeError, UnicodeError)):
        kafka_egress_message("n/e", text, b"")
    with pytest.raises((TypeError, UnicodeError)):
        kafka_egress_message("n/e", "topic", b"", key=text)


def test_a_subclass_of_text_is_the_text_that_it_is() -> None:
    class Identifier(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "another text"

    effects = ResponseEffects()
    effects.send(Message("n/f", Identifier("i"), ("t/t", b"")))
    assert FromFunction.FromString(finished(effects)).invocation_result.outgoing_messages[0].target.id == "i"


@pytest.mark.parametrize("typename", ["no-slash", "/f", "n/", "\ud800/f"])
def test_a_target_that_is_no_typename_is_refused_when_it_is_sent(typename: str) -> None:
    with pytest.raises(ValueError, match=r"typename|surrogates"):
        ResponseEffects().send(Message(typename, "i", ("t/t", b"")))
    with pytest.raises(ValueError, match=r"typename|surrogates"):
        ResponseEffects().egress(EgressMessage(typename, ("t/t", b"")))


def test_bytes_that_are_no_typed_value_are_refused_when_they_are_sent() -> None:
    effects = ResponseEffects()
    with pytest.raises(Exception, match="pars"):
        effects.send(Message("n/f", "i", b"\xff"))
    with pytest.raises(Exception, match="pars"):
        effects.egress(EgressMessage("n/e", b"\xff"))
    assert finished(effects) == b""
