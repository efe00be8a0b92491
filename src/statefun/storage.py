"""The storage of one address during one batch.

It works by value: every read decodes anew and every write encodes at once, so a value that is changed in place is not
written, and a value that cannot be encoded fails at the line that sets it.
"""

from collections.abc import Callable, Container, Sequence
from typing import Any, ClassVar, Final, TypeAlias, TypeVar, cast

from statefun.errors import RegistrationError, StateTypeError, UndeclaredStateError
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.types import encode
from statefun.value_spec import ValueSpec
from statefun.wire import encode_typed_value, short_value

T = TypeVar("T")

StoredValue: TypeAlias = TypedValue | bytes | None
"""A state value as a batch brings it: a `TypedValue`, an encoded one, or None for no value."""

_Cell: TypeAlias = StoredValue | tuple[bytes | None]
"""A state within a storage. A tuple is what the function wrote: the bytes of the value, None for a deletion."""


class AddressScopedStorage:
    """The states that the function declared, for the address that is called.

    By spec, typed: `storage.get(SEEN)`, `storage.set(SEEN, 3)`, `storage.remove(SEEN)`.
    By name: `storage.seen` (None without a value), `storage.seen = 3`, `del storage.seen`.

    Raises:
        UndeclaredStateError: The state is not declared.
        StateTypeError: The stored value has another typename than the spec; raised by the read.
    """

    # No state can have a name like these two, so only `get`, `set` and `remove` are out of the reach of attributes.
    __slots__ = ("__cells__",)

    __cells__: dict[str, _Cell]
    __schema__: ClassVar["StorageSchema"]

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
        self.__cells__[declared.name] = (encode(declared.type, value),)

    def remove(self, spec: ValueSpec[Any]) -> None:
        """Delete the value; there need not be one."""
        self.__cells__[self.__schema__.declared(spec).name] = _DELETED

    def __getattr__(self, name: str) -> Any:
        # Declared states are properties of the schema's subclass: only what is not declared comes here.
        raise self.__schema__.undeclared(name)

    def __setattr__(self, name: str, value: Any) -> None:
        schema = self.__schema__
        spec = schema.attributes.get(name)
        if spec is None:
            raise schema.undeclared(name)
        self.__cells__[name] = (encode(spec.type, value),)

    def __delattr__(self, name: str) -> None:
        schema = self.__schema__
        if name not in schema.attributes:
            raise schema.undeclared(name)
        self.__cells__[name] = _DELETED


_DELETED: Final = (None,)
_set_cells: Final = AddressScopedStorage.__dict__["__cells__"].__set__  # __setattr__ is for states


class StorageSchema:
    """The value specs of one function, prepared once so that every batch can open its storage cheaply."""

    __slots__ = ("_storage", "attributes", "by_name", "names", "owner", "readers", "specs")

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
        self._storage: type[AddressScopedStorage]
        self._storage = type(
            "AddressScopedStorage", (AddressScopedStorage,), {"__slots__": (), "__schema__": self, **members}
        )

    def open(self, values: dict[str, StoredValue]) -> AddressScopedStorage:
        """The storage of a batch that came with `values`, which must hold every declared name.

        The dict becomes the storage's own: it is changed.
        """
        storage = self._storage()
        _set_cells(storage, values)
        return storage

    def missing(self, names: Container[str]) -> list[ValueSpec[Any]]:
        """The declared specs whose names a batch did not bring, in the order of declaration."""
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
    cells = storage.__cells__
    written: list[tuple[ValueSpec[Any], bytes | None]] = []
    for spec in storage.__schema__.specs:
        cell = cells[spec.name]
        if type(cell) is tuple:
            written.append((spec, cell[0]))
    return written


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
        # Ordered by what is usual; `isinstance` is slow where it says no to a protobuf message.
        cell = storage.__cells__[name]
        if type(cell) is tuple:
            data = cell[0]
            return None if data is None else deserialize(data)
        if cell is None:
            return None
        if type(cell) is bytes:
            value = short_value(cell, typename)
            if value is not None:
                return deserialize(value)
        stored = cell if isinstance(cell, TypedValue) else TypedValue.FromString(cast("bytes", cell))
        if not stored.has_value:
            return None
        if stored.typename != typename:
            raise StateTypeError(
                f"the state {name!r} of {owner} holds a {stored.typename}, but its spec says {typename}"
            )
        return deserialize(stored.value)

    return read
