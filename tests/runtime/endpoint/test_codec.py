from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun.protocol.request_reply_pb2 import Address as AddressMessage
from statefun.protocol.request_reply_pb2 import FromFunction, ToFunction, TypedValue
from statefun_runtime.endpoint.codec import decode_reply, encode_batch, join_typename, split_typename
from statefun_runtime.interfaces import (
    Address,
    Batch,
    Cancellation,
    DelayedSend,
    Effects,
    EgressRecord,
    ExpireMode,
    Failure,
    FailureKind,
    MissingStates,
    Send,
    StateSpec,
)

TARGET: Address = ("example/greeter", "ada")
UNICODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=8)
TYPENAMES = st.builds("{}/{}".format, st.sampled_from(["a", "a/b", "io.statefun"]), NAMES)
ADDRESSES: st.SearchStrategy[Address] = st.tuples(TYPENAMES, UNICODE)
VALUES = st.builds(
    TypedValue,
    typename=UNICODE,
    has_value=st.just(value=True),
    value=st.binary(max_size=20),
    metadata=st.lists(st.builds(TypedValue.Metadata, key=UNICODE, value=st.binary(max_size=4)), max_size=2),
)
PAYLOADS = VALUES.map(TypedValue.SerializeToString)
DELAYS = st.integers(0, 1 << 62)


def invalid(reply: object) -> str:
    assert isinstance(reply, Failure), reply
    assert reply.kind is FailureKind.PERMANENT
    return reply.reason


def reply_with(**fields: object) -> FromFunction:
    return FromFunction(invocation_result=FromFunction.InvocationResponse(**fields))  # type: ignore[arg-type]


def field(tag: bytes, content: bytes) -> bytes:
    return tag + bytes([len(content)]) + content


def as_tuple(address: AddressMessage) -> Address:
    return f"{address.namespace}/{address.type}", address.id


def as_message(address: Address) -> AddressMessage:
    namespace, name = split_typename(address[0])
    return AddressMessage(namespace=namespace, type=name, id=address[1])


@pytest.mark.parametrize("length", [1, 100, 127, 128, 2000, 2047, 2048, 16_383, 16_384, 100_000])
def test_an_encoded_batch_has_the_bytes_of_protobuf_at_every_length(length: int) -> None:
    address = ("example/greeter", "i" * length)
    payload = TypedValue(typename="t", has_value=True, value=b"v" * length).SerializeToString()
    short = TypedValue(typename="t", has_value=True, value=b"v").SerializeToString()
    for target, caller, value in ((address, TARGET, short), (TARGET, address, short), (TARGET, None, payload)):
        expected = ToFunction()
        request = expected.invocation
        request.target.CopyFrom(as_message(target))
        request.state.add(state_name="s" * min(length, 3000)).state_value.MergeFromString(value)
        invocation = request.invocations.add()
        if caller is not None:
            invocation.caller.CopyFrom(as_message(caller))
        invocation.argument.MergeFromString(value)

        batch = Batch(target, {"s" * min(length, 3000): value}, [(1, target, caller, value)])

        assert encode_batch(batch) == expected.SerializeToString()


@given(
    target=ADDRESSES,
    state=st.dictionaries(UNICODE, st.none() | PAYLOADS, max_size=4),
    messages=st.lists(st.tuples(st.integers(0), ADDRESSES, st.none() | ADDRESSES, PAYLOADS), max_size=4),
)
def test_an_encoded_batch_reads_back_with_the_official_classes(
    target: Address,
    state: dict[str, bytes | None],
    messages: list[tuple[int, Address, Address | None, bytes]],
) -> None:
    request = ToFunction.FromString(encode_batch(Batch(target, state, messages))).invocation

    assert as_tuple(request.target) == target
    assert {
        s.state_name: s.state_value.SerializeToString() if s.HasField("state_value") else None for s in request.state
    } == state
    assert [
        (as_tuple(i.caller) if i.HasField("caller") else None, i.argument.SerializeToString())
        for i in request.invocations
    ] == [(caller, payload) for _, _, caller, payload in messages]


def test_payload_bytes_that_are_not_canonical_pass_through_as_they_came() -> None:
    payload = b"\x1a\x01v\x10\x01\x0a\x01t"  # a typed value with its fields in descending order

    encoded = encode_batch(Batch(TARGET, {"seen": payload}, [(1, TARGET, None, payload)]))
    sent = field(b"\x0a", as_message(TARGET).SerializeToString()) + field(b"\x12", payload)
    effects = decode_reply(field(b"\xa2\x06", field(b"\x12", sent)))

    assert encoded.count(payload) == 2
    assert isinstance(effects, Effects)
    assert effects.sends == [Send(TARGET, payload)]


@given(
    sends=st.lists(st.tuples(ADDRESSES, VALUES), max_size=3),
    delayed=st.lists(st.tuples(DELAYS, ADDRESSES, VALUES, UNICODE), max_size=3),
    egresses=st.lists(st.tuples(TYPENAMES, VALUES), max_size=3),
    mutations=st.dictionaries(UNICODE.filter(bool), st.none() | VALUES, max_size=3),
)
def test_the_effects_of_a_reply_are_those_that_the_official_classes_wrote(
    sends: list[tuple[Address, TypedValue]],
    delayed: list[tuple[int, Address, TypedValue, str]],
    egresses: list[tuple[str, TypedValue]],
    mutations: dict[str, TypedValue | None],
) -> None:
    reply = FromFunction()
    result = reply.invocation_result
    result.SetInParent()
    for target, value in sends:
        result.outgoing_messages.add(target=as_message(target), argument=value)
    for delay, target, value, token in delayed:
        result.delayed_invocations.add(
            delay_in_ms=delay, target=as_message(target), argument=value, cancellation_token=token
        )
    for typename, value in egresses:
        namespace, name = split_typename(typename)
        result.outgoing_egresses.add(egress_namespace=namespace, egress_type=name, argument=value)
    for state_name, new in mutations.items():
        result.state_mutations.add(state_name=state_name, mutation_type=int(new is not None), state_value=new)

    effects = decode_reply(reply.SerializeToString())

    assert isinstance(effects, Effects)
    assert effects.sends == [Send(target, value.SerializeToString()) for target, value in sends]
    assert effects.delayed == [DelayedSend(d, target, v.SerializeToString(), token) for d, target, v, token in delayed]
    assert effects.egresses == [EgressRecord(typename, v.SerializeToString()) for typename, v in egresses]
    assert effects.mutations == {n: v.SerializeToString() if v else None for n, v in mutations.items()}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_reply_or_a_permanent_failure(data: bytes) -> None:
    reply = decode_reply(data)
    if isinstance(reply, Failure):
        assert reply.kind is FailureKind.PERMANENT
    else:
        FromFunction.FromString(data)


@given(st.data())
def test_a_damaged_reply_is_a_reply_or_a_permanent_failure(data: st.DataObject) -> None:
    target = AddressMessage(namespace="a", type="b", id="c")
    value = TypedValue(typename="t", has_value=True, value=b"v")
    intact = bytearray(
        reply_with(
            outgoing_messages=[FromFunction.Invocation(target=target, argument=value)],
            delayed_invocations=[FromFunction.DelayedInvocation(delay_in_ms=5, target=target, argument=value)],
            state_mutations=[FromFunction.PersistedValueMutation(state_name="s", mutation_type=1, state_value=value)],  # type: ignore[arg-type]
        ).SerializeToString()
    )
    position = data.draw(st.integers(0, len(intact) - 1))
    intact[position] ^= data.draw(st.integers(1, 255))

    reply = decode_reply(bytes(intact))

    assert isinstance(reply, Effects | Failure | MissingStates)
    assert not isinstance(reply, Failure) or reply.kind is FailureKind.PERMANENT


def test_an_empty_body_and_an_empty_result_mean_no_effects() -> None:
    for data in (b"", reply_with().SerializeToString(), b"\xa2\x06\x00"):
        effects = decode_reply(data)
        assert isinstance(effects, Effects)
        assert (effects.sends, effects.delayed, effects.egresses, effects.mutations) == ([], [], [], {})


def test_a_reply_of_an_unknown_kind_is_refused_rather_than_taken_as_no_effects() -> None:
    assert "neither" in invalid(decode_reply(b"h1"))  # an unknown field, as a line of text can be


def test_a_page_of_html_is_not_a_reply() -> None:
    assert "not a FromFunction message" in invalid(decode_reply(b"<html><body>It works!</body></html>"))


def test_a_typed_value_that_does_not_parse_is_refused_at_its_sender() -> None:
    sent = field(b"\x0a", as_message(TARGET).SerializeToString()) + field(b"\x12", b"\x0a\x05t")
    assert "not a FromFunction message" in invalid(decode_reply(field(b"\xa2\x06", field(b"\x12", sent))))


def test_a_missing_argument_is_an_empty_typed_value() -> None:
    effects = decode_reply(
        reply_with(outgoing_messages=[FromFunction.Invocation(target=as_message(TARGET))]).SerializeToString()
    )
    assert isinstance(effects, Effects)
    assert effects.sends == [Send(TARGET, b"")]


def test_a_modification_without_a_value_deletes() -> None:
    mutation = FromFunction.PersistedValueMutation(
        state_name="seen",
        mutation_type=FromFunction.PersistedValueMutation.MODIFY,
        state_value=TypedValue(typename="t"),
    )
    effects = decode_reply(reply_with(state_mutations=[mutation]).SerializeToString())
    assert isinstance(effects, Effects)
    assert effects.mutations == {"seen": None}


def test_the_last_of_several_mutations_of_a_state_counts() -> None:
    mutation = FromFunction.PersistedValueMutation
    value = TypedValue(typename="t", has_value=True, value=b"2")
    effects = decode_reply(
        reply_with(
            state_mutations=[
                mutation(state_name="seen", mutation_type=mutation.DELETE),
                mutation(state_name="seen", mutation_type=mutation.MODIFY, state_value=value),
            ]
        ).SerializeToString()
    )
    assert isinstance(effects, Effects)
    assert effects.mutations == {"seen": value.SerializeToString()}


def test_delayed_messages_and_cancellations_keep_their_order() -> None:
    delayed = FromFunction.DelayedInvocation
    effects = decode_reply(
        reply_with(
            delayed_invocations=[
                delayed(is_cancellation_request=True, cancellation_token="t"),
                delayed(delay_in_ms=0, target=as_message(TARGET), cancellation_token="t"),
            ]
        ).SerializeToString()
    )
    assert isinstance(effects, Effects)
    assert effects.delayed == [Cancellation("t"), DelayedSend(0, TARGET, b"", "t")]


def broken_replies() -> Iterable[tuple[str, FromFunction]]:
    delayed, mutation = FromFunction.DelayedInvocation, FromFunction.PersistedValueMutation
    target = as_message(TARGET)
    yield "is -1 ms", reply_with(delayed_invocations=[delayed(delay_in_ms=-1, target=target)])
    yield "not between", reply_with(delayed_invocations=[delayed(delay_in_ms=(1 << 62) + 1, target=target)])
    yield "without a token", reply_with(delayed_invocations=[delayed(is_cancellation_request=True)])
    yield "delayed message 0 is not", reply_with(delayed_invocations=[delayed(delay_in_ms=1)])
    yield (
        "message 1 is not",
        reply_with(outgoing_messages=[FromFunction.Invocation(target=target), FromFunction.Invocation()]),
    )
    slashed = AddressMessage(namespace="a", type="b/c", id="1")
    yield "must not contain a slash", reply_with(outgoing_messages=[FromFunction.Invocation(target=slashed)])
    yield "egress record 0", reply_with(outgoing_egresses=[FromFunction.EgressMessage(egress_namespace="a")])
    yield "mutation 0 does not name", reply_with(state_mutations=[mutation(mutation_type=mutation.DELETE)])
    yield "unknown type 7", reply_with(state_mutations=[mutation(state_name="seen", mutation_type=7)])  # type: ignore[arg-type]


def broken_contexts() -> Iterable[tuple[str, FromFunction]]:
    expiration = FromFunction.ExpirationSpec
    specs = {
        "does not name a state": FromFunction.PersistedValueSpec(type_typename="a/b"),
        "has no type": FromFunction.PersistedValueSpec(state_name="seen"),
        "unknown expire mode 9": FromFunction.PersistedValueSpec(
            state_name="seen",
            type_typename="a/b",
            expiration_spec=expiration(mode=9),  # type: ignore[arg-type]
        ),
        "expires after 0 ms": FromFunction.PersistedValueSpec(
            state_name="seen", type_typename="a/b", expiration_spec=expiration(mode=expiration.AFTER_WRITE)
        ),
    }
    context = FromFunction.IncompleteInvocationContext
    for reason, spec in specs.items():
        yield reason, FromFunction(incomplete_invocation_context=context(missing_values=[spec]))
    yield "names no missing state", FromFunction(incomplete_invocation_context=context())


@pytest.mark.parametrize(("reason", "reply"), [*broken_replies(), *broken_contexts()])
def test_a_reply_that_breaks_the_protocol_is_refused_with_its_reason(reason: str, reply: FromFunction) -> None:
    assert reason in invalid(decode_reply(reply.SerializeToString()))


def test_a_reason_stays_short_whatever_the_reply_holds() -> None:
    long = AddressMessage(namespace="a", type="b/" + "c" * 100_000)
    assert (
        len(
            invalid(
                decode_reply(reply_with(outgoing_messages=[FromFunction.Invocation(target=long)]).SerializeToString())
            )
        )
        < 600
    )


def test_missing_states_carry_type_and_expiration() -> None:
    spec, expiration = FromFunction.PersistedValueSpec, FromFunction.ExpirationSpec
    reply = FromFunction(
        incomplete_invocation_context=FromFunction.IncompleteInvocationContext(
            missing_values=[
                spec(state_name="a", type_typename="t/1"),
                spec(
                    state_name="b",
                    type_typename="t/2",
                    expiration_spec=expiration(mode=expiration.AFTER_WRITE, expire_after_millis=5),
                ),
                spec(
                    state_name="c",
                    type_typename="t/3",
                    expiration_spec=expiration(mode=expiration.AFTER_INVOKE, expire_after_millis=6),
                ),
            ]
        )
    )
    assert decode_reply(reply.SerializeToString()) == MissingStates(
        (
            StateSpec("a", "t/1"),
            StateSpec("b", "t/2", ExpireMode.AFTER_WRITE, 5),
            StateSpec("c", "t/3", ExpireMode.AFTER_CALL, 6),
        )
    )


def test_a_typename_is_split_at_its_last_slash() -> None:
    assert split_typename("a/b/c") == ("a/b", "c")
    assert join_typename("a/b", "c") == "a/b/c"
