"""Storage: by value, typed, and only what is declared."""

from collections.abc import Callable
from typing import Any

import pytest

from statefun import (
    AddressScopedStorage,
    Context,
    IntType,
    Message,
    StateTypeError,
    StringType,
    UndeclaredStateError,
    ValueSpec,
    make_json_type,
)
from statefun.protocol.request_reply_pb2 import FromFunction, TypedValue
from tests.sdk.calls import call, typed

SEEN = ValueSpec("seen", IntType)
ITEMS = ValueSpec("items", make_json_type("example/items"))
SENE = ValueSpec("sene", IntType)
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


@pytest.mark.parametrize("stored", [None, TypedValue(typename=IntType.typename), TypedValue(typename="example/other")])
def test_a_state_without_a_value_reads_none(stored: TypedValue | None) -> None:
    def function(context: Context, message: Message) -> None:
        assert context.storage.seen is None
        assert context.storage.get(SEEN) is None

    assert mutations(call(function, SEEN, state={"seen": stored})) == {}


def test_a_default_value_is_a_value() -> None:
    def function(context: Context, message: Message) -> None:
        assert context.storage.seen == 0
        context.storage.seen = 0

    response = call(function, SEEN, state={"seen": typed(IntType, 0)})
    (mutation,) = response.state_mutations
    assert mutation.state_value == TypedValue(typename=IntType.typename, has_value=True)


def test_a_value_that_was_written_or_removed_is_what_the_next_read_gives() -> None:
    def function(context: Context, message: Message) -> None:
        storage = context.storage
        storage.set(ITEMS, [1])
        assert storage.get(ITEMS) == [1]
        del storage.items
        assert storage.items is None
        storage.items = [2]
        storage.remove(ITEMS)
        assert storage.get(ITEMS) is None

    assert mutations(call(function, ITEMS, state={"items": typed(ITEMS.type, [0])})) == {"items": Mutation.DELETE}


def test_every_read_decodes_anew_and_every_write_encodes_at_once() -> None:
    def function(context: Context, message: Message) -> None:
        value = [1]
        context.storage.items = value
        value.append(2)
        assert context.storage.items == [1]
        assert context.storage.items is not context.storage.items

    assert mutations(call(function, ITEMS)) == {"items": (Mutation.MODIFY, b"[1]")}


def test_a_value_that_its_type_refuses_is_refused_where_it_is_written() -> None:
    def function(context: Context, message: Message) -> None:
        context.storage.seen = 1
        with pytest.raises(TypeError):
            context.storage.seen = "two"
        with pytest.raises(ValueError, match="out of range"):
            context.storage.set(SEEN, 2**31)

    assert mutations(call(function, SEEN)) == {"seen": (Mutation.MODIFY, IntType.serialize(1))}


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
        with pytest.raises(ValueError, match="None"):
            context.storage.seen = None
        with pytest.raises(ValueError, match="None"):
            context.storage.set(SEEN, None)  # type: ignore[misc]

    assert mutations(call(function, SEEN)) == {}


@pytest.mark.parametrize(
    "use",
    [
        lambda storage: storage.sene,
        lambda storage: setattr(storage, "sene", 1),
        lambda storage: delattr(storage, "sene"),
        lambda storage: storage.get(SENE),
        lambda storage: storage.set(SENE, 1),
        lambda storage: storage.remove(SENE),
    ],
)
def test_an_undeclared_state_is_an_error_that_lists_the_declared_ones(
    use: Callable[[AddressScopedStorage], object],
) -> None:
    def function(context: Context, message: Message) -> None:
        use(context.storage)

    with pytest.raises(UndeclaredStateError, match=r"'sene' is not a state of .*; declared are: seen, items"):
        call(function, SEEN, ITEMS)
    with pytest.raises(AttributeError, match="declared are: none"):
        call(function)


def test_a_spec_of_another_type_than_the_declared_one_is_refused() -> None:
    def function(context: Context, message: Message) -> None:
        context.storage.get(ValueSpec("seen", StringType))

    with pytest.raises(UndeclaredStateError, match=f"as {IntType.typename}, not as {StringType.typename}"):
        call(function, SEEN)


def test_an_equal_spec_reaches_the_same_state() -> None:
    def function(context: Context, message: Message) -> None:
        context.storage.set(ValueSpec("seen", IntType), 2)

    assert mutations(call(function, SEEN)) == {"seen": (Mutation.MODIFY, IntType.serialize(2))}


@pytest.mark.parametrize("name", ["get", "set", "remove"])
def test_a_state_called_get_set_or_remove_is_reached_by_its_spec(name: str) -> None:
    spec = ValueSpec(name, IntType)

    def function(context: Context, message: Message) -> None:
        context.storage.set(spec, 1)
        assert context.storage.get(spec) == 1
        with pytest.raises(UndeclaredStateError, match="reached by its spec"):
            setattr(context.storage, name, 2)
        with pytest.raises(UndeclaredStateError, match="reached by its spec"):
            delattr(context.storage, name)
        assert callable(getattr(context.storage, name))
        context.storage.remove(spec)

    assert mutations(call(function, spec)) == {name: Mutation.DELETE}


@pytest.mark.parametrize("name", ["class", "lastSeen", "_", "schema", "cells", "items", "names"])
def test_a_state_of_any_other_name_is_reached_both_ways(name: str) -> None:
    spec = ValueSpec(name, IntType)

    def function(context: Context, message: Message) -> None:
        setattr(context.storage, name, 1)
        assert (context.storage.get(spec), getattr(context.storage, name)) == (1, 1)

    assert mutations(call(function, spec)) == {name: (Mutation.MODIFY, IntType.serialize(1))}


def test_states_that_the_function_does_not_declare_are_left_alone() -> None:
    def function(context: Context, message: Message) -> None:
        with pytest.raises(UndeclaredStateError):
            _ = context.storage.other

    assert mutations(call(function, SEEN, state={"other": typed(IntType, 1)})) == {}


def test_a_read_checks_the_stored_typename() -> None:
    def reads(context: Context, message: Message) -> None:
        context.storage.get(SEEN)

    with pytest.raises(StateTypeError, match=f"'seen' .* holds a {StringType.typename}, .* {IntType.typename}"):
        call(reads, SEEN, state={"seen": typed(StringType, "three")})

    def overwrites(context: Context, message: Message) -> None:
        context.storage.seen = 3

    response = call(overwrites, SEEN, state={"seen": typed(StringType, "three")})
    assert mutations(response) == {"seen": (Mutation.MODIFY, IntType.serialize(3))}


def test_all_messages_of_a_batch_see_one_storage() -> None:
    def function(context: Context, message: Message) -> None:
        context.storage.seen = (context.storage.seen or 0) + 1

    response = call(function, SEEN, messages=(typed(StringType, "a"), typed(StringType, "b")))
    assert mutations(response) == {"seen": (Mutation.MODIFY, IntType.serialize(2))}
