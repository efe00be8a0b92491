"""The storage of one address during one batch.

It works by value: every read decodes anew and every write encodes at once, so a value that is changed in place is not
written, and a value that cannot be encoded fails at the line that sets it.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias, TypeVar

from statefun.errors import RegistrationError, StateTypeError, UndeclaredStateError
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.typed_value import encode_typed_value
from statefun.types import encode
from statefun.value_spec import ValueSpec

T = TypeVar("T")

StoredValue: TypeAlias = TypedValue | bytes | None
"""A state value as a batch brings it: a `TypedValue`, an encoded one, or None for no value."""


class AddressScopedStorage:
    """The states that the function declared, for the address that is called.

    By spec, typed: `storage.get(SEEN)`, `storage.set(SEEN, 3)`, `storage.remove(SEEN)`.
    By name: `storage.seen` (None without a value), `storage.seen = 3`, `del storage.seen`.

    Raises:
        UndeclaredStateError: The state is not declared.
        StateTypeError: The stored value has another typename than the spec; raised by the read.
    """

    # No state can have a name like these, so `get`, `set` and `remove` are the only ones that attributes cannot reach.
    __slots__ = ("__received__", "__schema__", "__written__")

    __schema__: "StorageSchema"
    __received__: Mapping[str, StoredValue]
    __written__: dict[str, bytes | None]

    def __init__(self, schema: "StorageSchema", received: Mapping[str, StoredValue]) -> None:
        # __setattr__ below is for states.
        _set_schema(self, schema)
        _set_received(self, received)
        _set_written(self, {})

    def get(self, spec: ValueSpec[T]) -> T | None:
        """The value, or None if there is none (never set, removed, or expired)."""
        schema = self.__schema__
        value: T | None = schema.readers[schema.declared(spec).name](self)
        return value

    def set(self, spec: ValueSpec[T], value: T) -> None:
        """Write a value.

        Raises:
            ValueError: The value is None; `remove` deletes.
            Exception: Whatever the type's serializer raises for a value that is not of its type.
        """
        declared = self.__schema__.declared(spec)
        self.__written__[declared.name] = encode(declared.type, value)

    def remove(self, spec: ValueSpec[Any]) -> None:
        """Delete the value; there need not be one."""
        self.__written__[self.__schema__.declared(spec).name] = None

    def __getattr__(self, name: str) -> Any:
        # Declared states are properties of the schema's subclass: only what is not declared comes here.
        raise self.__schema__.undeclared(name)

    def __setattr__(self, name: str, value: Any) -> None:
        spec = self.__schema__.attributes.get(name)
        if spec is None:
            raise self.__schema__.undeclared(name)
        self.__written__[name] = encode(spec.type, value)

    def __delattr__(self, name: str) -> None:
        if name not in self.__schema__.attributes:
            raise self.__schema__.undeclared(name)
        self.__written__[name] = None


_set_schema = AddressScopedStorage.__dict__["__schema__"].__set__
_set_received = AddressScopedStorage.__dict__["__received__"].__set__
_set_written = AddressScopedStorage.__dict__["__written__"].__set__


class StorageSchema:
    """The value specs of one function, prepared once so that every batch can open its storage cheaply."""

    __slots__ = ("_open", "attributes", "by_name", "names", "owner", "readers", "specs")

    def __init__(self, owner: str, specs: Sequence[ValueSpec[Any]] = ()) -> None:
        """Prepare the states of the function `owner` (a typename).

        Raises:
            RegistrationError: Two specs have the same name, or something is no spec.
        """
        self.owner = owner
        self.specs = tuple(specs)
        self.by_name: dict[str, ValueSpec[Any]] = {}
        for spec in self.specs:
            _check_spec(owner, spec)
            if spec.name in self.by_name:
                raise RegistrationError(f"the function {owner} declares the state {spec.name!r} twice")
            self.by_name[spec.name] = spec
        self.names = frozenset(self.by_name)
        self.attributes = {n: spec for n, spec in self.by_name.items() if not hasattr(AddressScopedStorage, n)}
        self.readers: dict[str, Callable[[AddressScopedStorage], Any]]
        self.readers = {name: _reader(owner, spec) for name, spec in self.by_name.items()}
        # Writing and deleting go through __setattr__ and __delattr__, which never ask the property.
        members: dict[str, Any] = {n: property(self.readers[n], doc=f"{self.by_name[n]}") for n in self.attributes}
        self._open: Callable[[StorageSchema, Mapping[str, StoredValue]], AddressScopedStorage]
        self._open = type("AddressScopedStorage", (AddressScopedStorage,), {"__slots__": (), **members})

    def open(self, values: Mapping[str, StoredValue]) -> AddressScopedStorage:
        """The storage of a batch that came with `values`, which must hold every declared name."""
        return self._open(self, values)

    def missing(self, names: AbstractSet[str]) -> list[ValueSpec[Any]]:
        """The declared specs whose names a batch did not bring, in the order of declaration."""
        if names >= self.names:
            return []
        return [spec for spec in self.specs if spec.name not in names]

    def declared(self, spec: ValueSpec[T]) -> ValueSpec[T]:
        """`spec` as it was declared.

        Raises:
            UndeclaredStateError: No spec of this name is declared, or one of another type.
        """
        declared = self.by_name.get(spec.name)
        if declared is None:
            raise self.undeclared(spec.name)
        if declared is not spec and declared.type.typename != spec.type.typename:
            raise UndeclaredStateError(
                f"the function {self.owner} declares the state {spec.name!r} as {declared.type.typename}, "
                f"not as {spec.type.typename}"
            )
        return declared

    def undeclared(self, name: str) -> UndeclaredStateError:
        """The error for a name that is no declared state, or not one that can be an attribute."""
        if name in self.by_name:
            return UndeclaredStateError(
                f"the state {name!r} of {self.owner} is reached by its spec (storage.get(spec), …): "
                f"the storage uses the name itself"
            )
        names = ", ".join(self.by_name) or "none"
        return UndeclaredStateError(f"{name!r} is not a state of the function {self.owner}; declared are: {names}")


def mutations(storage: AddressScopedStorage) -> list[tuple[ValueSpec[Any], bytes | None]]:
    """What the batch wrote: specs in the order of declaration, with the bytes of the value, None for a deletion."""
    written = storage.__written__
    return [(spec, written[spec.name]) for spec in storage.__schema__.specs if spec.name in written] if written else []


def encoded_mutations(storage: AddressScopedStorage) -> dict[str, bytes | None]:
    """What the batch wrote: the encoded `TypedValue` by name, None for a deletion."""
    return {
        spec.name: None if data is None else encode_typed_value(spec.type.typename, data)
        for spec, data in mutations(storage)
    }


def _check_spec(owner: str, spec: object) -> None:
    if not isinstance(spec, ValueSpec):
        raise RegistrationError(f"{spec!r} of the function {owner} is no ValueSpec")


def _reader(owner: str, spec: ValueSpec[T]) -> Callable[[AddressScopedStorage], T | None]:
    """What reads the state of `spec` out of a storage."""
    name, typename, deserialize = spec.name, spec.type.typename, spec.type.deserialize

    def read(storage: AddressScopedStorage) -> T | None:
        written = storage.__written__
        if name in written:
            data = written[name]
            return None if data is None else deserialize(data)
        stored = storage.__received__[name]
        if stored is None:
            return None
        if isinstance(stored, bytes):
            stored = TypedValue.FromString(stored)
        if not stored.has_value:
            return None
        if stored.typename != typename:
            raise StateTypeError(
                f"the state {name!r} of {owner} holds a {stored.typename}, but its spec says {typename}"
            )
        return deserialize(stored.value)

    return read
