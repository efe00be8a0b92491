"""Storage: by value, typed, and only what is declared."""

from typing import Any

import pytest

from statefun import (
    Context,
    IntType,
    Message,
    StateTypeError,
    StringType,
    UndeclaredStateError,
    ValueSpec,
    make_json_type,
)
from statefun.protocol.request_reply_pb2 import FromFunction
from tests.sdk.calls import call, typed

SEEN = ValueSpec("seen", IntType)
ITEMS = ValueSpec("items", make_json_type("example/items"))
GET = ValueSpec("get", IntType)
Mutation = FromFunction.PersistedValueMutation


def mutations(response: FromFunction.InvocationResponse) -> dict[str, Any]:
    return {
        m.state_name: (m.mutation_type, m.state_value.value) if m.mutation_type == Mutation.MODIFY else m.mutation_type
        for m in response.state_mutations
    }


def test_values_are_read_and_written_by_spec_and_by_attribute() -> None:
    def function(context: Context, message: Message) -> None:
        assert context.storage.get(SEEN) == context.storage.seen == 3
        context.storage.seen = 4
        assert context.storage.get(SEEN) == 4
        context.storage.set(SEEN, 5)

    response = call(function, SEEN, state={"seen": typed(IntType, 3)})
    assert mutations(response) == {"seen": (Mutation.MODIFY, IntType.serialize(5))}


def test_a_state_without_a_value_reads_none() -> None:
    def function(context: Context, message: Message) -> None:
        assert context.storage.seen is None

    assert mutations(call(function, SEEN)) == {}


def test_a_value_that_is_changed_in_place_is_not_written() -> None:
    def function(context: Context, message: Message) -> None:
        context.storage.items.append(2)
        assert context.storage.items == [1]

    assert mutations(call(function, ITEMS, state={"items": typed(ITEMS.type, [1])})) == {}


def test_setting_the_same_value_is_a_write_and_deleting_an_unset_one_a_deletion() -> None:
    def function(context: Context, message: Message) -> None:
        context.storage.seen = context.storage.seen
        del context.storage.items

    response = call(function, SEEN, ITEMS, state={"seen": typed(IntType, 3)})
    assert mutations(response) == {"seen": (Mutation.MODIFY, IntType.serialize(3)), "items": Mutation.DELETE}


def test_none_is_no_value() -> None:
    def function(context: Context, message: Message) -> None:
        context.storage.seen = None

    with pytest.raises(ValueError, match=r"\S"):
        call(function, SEEN)


def test_an_undeclared_state_is_an_error_that_lists_the_declared_ones() -> None:
    def function(context: Context, message: Message) -> None:
        context.storage.sene = 1

    with pytest.raises(UndeclaredStateError, match="seen"):
        call(function, SEEN)


def test_a_state_called_get_is_reached_by_its_spec() -> None:
    def function(context: Context, message: Message) -> None:
        context.storage.set(GET, 1)
        assert context.storage.get(GET) == 1
        context.storage.remove(GET)

    assert mutations(call(function, GET)) == {"get": Mutation.DELETE}


def test_a_read_checks_the_stored_typename() -> None:
    def function(context: Context, message: Message) -> None:
        context.storage.get(SEEN)

    with pytest.raises(StateTypeError, match="seen"):
        call(function, SEEN, state={"seen": typed(StringType, "three")})


def test_all_messages_of_a_batch_see_one_storage() -> None:
    def function(context: Context, message: Message) -> None:
        context.storage.seen = (context.storage.seen or 0) + 1

    response = call(function, SEEN, messages=(typed(StringType, "a"), typed(StringType, "b")))
    assert mutations(response) == {"seen": (Mutation.MODIFY, IntType.serialize(2))}
