"""Addresses: which function, and which of its instances."""

from typing import Self, TypeAlias

from statefun.protocol.request_reply_pb2 import ToFunction
from statefun.typename import TypeName, TypeNameLike, as_typename, typename_from_parts


class Address:
    """A function type and an id. Immutable and hashable; `str()` is `Address(namespace, name, id)`.

    Raises:
        ValueError: The function type is not of the form `namespace/name`, or the id is empty.
    """

    __slots__ = ("_function_type", "_id")

    _function_type: TypeName
    _id: str

    def __init__(self, function_type: TypeNameLike, id: str) -> None:  # noqa: A002  (the field's word)
        if not id:
            raise ValueError("the id of an address must not be empty")
        self._function_type = as_typename(function_type)
        self._id = id

    @classmethod
    def unchecked(cls, function_type: TypeName, id: str) -> Self:  # noqa: A002
        """An address of parts as a request brings them, whatever they are."""
        address = cls.__new__(cls)
        address._function_type = function_type  # noqa: SLF001  (of its own class)
        address._id = id  # noqa: SLF001
        return address

    @property
    def function_type(self) -> TypeName:
        """The type of the function."""
        return self._function_type

    @property
    def typename(self) -> str:
        """The type of the function as text, `namespace/name`."""
        return str(self._function_type)

    @property
    def namespace(self) -> str:
        """The namespace of the function type."""
        return self._function_type.namespace

    @property
    def name(self) -> str:
        """The name of the function type, without its namespace."""
        return self._function_type.name

    @property
    def type(self) -> str:
        """The same as `name`, under the word that the protocol uses."""
        return self._function_type.name

    @property
    def id(self) -> str:
        """Which instance of the function."""
        return self._id

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Address):
            return NotImplemented
        return self._id == other._id and self._function_type == other._function_type

    def __hash__(self) -> int:
        return hash((self._function_type, self._id))

    def __str__(self) -> str:
        return f"Address({self.namespace}, {self.name}, {self._id})"

    def __repr__(self) -> str:
        return f"Address({self.typename!r}, {self._id!r})"


class SdkAddress(Address):
    """An `Address` made from its parts. The addresses that the SDK hands out are of this class."""

    __slots__ = ()

    def __init__(self, namespace: str, name: str, id: str, typename: str) -> None:  # noqa: A002
        if typename != f"{namespace}/{name}":
            raise ValueError(f"typename {typename!r} is not '{namespace}/{name}'")
        super().__init__(typename, id)


CallerSource: TypeAlias = Address | tuple[str, str] | ToFunction.Invocation | None
"""Where a caller is read from when a function asks for it: most never do.

A tuple is (typename, id). `None` is a message from an ingress.
"""


def read_caller(source: CallerSource) -> Address | None:
    """The caller that `source` tells of; `None` if the message came from an ingress.

    Never raises: a peer may have a name that `TypeName` or `Address` would refuse, such as one with a `/`. Its parts
    are kept as they came.
    """
    if source is None or isinstance(source, Address):
        return source
    if isinstance(source, tuple):
        typename, id_ = source
        namespace, _, name = typename.rpartition("/")
        return SdkAddress.unchecked(typename_from_parts(namespace, name), id_)
    caller = source.caller
    if not caller.namespace and not caller.type and not caller.id:
        return None
    return SdkAddress.unchecked(typename_from_parts(caller.namespace, caller.type), caller.id)
