"""A stateful function with its name and states."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeAlias, cast

from statefun.context import Context
from statefun.errors import RegistrationError
from statefun.message import Message
from statefun.storage import StorageSchema
from statefun.typename import TypeNameLike, as_typename
from statefun.value_spec import ValueSpec

StatefulFunction: TypeAlias = Callable[[Context, Message], Awaitable[None]] | Callable[[Context, Message], None]
"""`async def f(context, message)` or `def f(context, message)`, or an object that is called so."""


class StatefulFunctionSpec:
    """A function, the typename under which it is called, and the states it declares."""

    __slots__ = ("function", "function_type", "is_async", "location", "schema", "specs", "typename")

    def __init__(
        self, typename: TypeNameLike, function: StatefulFunction, specs: Sequence[ValueSpec[Any]] | None = None
    ) -> None:
        """Check and describe a function.

        Raises:
            RegistrationError: The typename is none, `function` cannot be called with a context and a message, or two
                specs have the same name. The text says in which file and line the function is.
        """
        if function is None:
            raise RegistrationError(f"the function for {typename} is missing")
        self.location = source_location(function)
        try:
            self.function_type = as_typename(typename)
        except (TypeError, ValueError) as error:
            raise RegistrationError(f"the typename of the function in {self.location}: {error}") from error
        self.typename = str(self.function_type)
        _check_signature(self.typename, function, self.location)
        self.function: Callable[[Context, Message], Any] = function
        self.specs = tuple(specs or ())
        self.schema = StorageSchema(self.typename, self.specs)
        self.is_async = _is_async(function)

    def __repr__(self) -> str:
        return f"StatefulFunctionSpec({self.typename!r}, {self.function!r}, {list(self.specs)!r})"


def source_location(function: object) -> str:
    """File and line where a function, or the class of a callable object, is defined."""
    function = _without_partial(function)
    if not (inspect.isroutine(function) or inspect.isclass(function)):
        function = type(function)
    unwrapped = inspect.unwrap(function) if callable(function) else function
    code = getattr(unwrapped, "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    try:
        _, line = inspect.getsourcelines(unwrapped)
        return f"{inspect.getsourcefile(unwrapped)}:{line}"
    except (OSError, TypeError):
        return f"{unwrapped!r}"


def _is_async(function: object) -> bool:
    return any(inspect.iscoroutinefunction(kind) for kind in _kinds(function))


def _kinds(function: object) -> tuple[object, object]:
    """What says of which kind a function is: itself, or the method by which an object is called."""
    function = _without_partial(function)
    return function, getattr(function, "__call__", None)  # noqa: B004  (the method itself is wanted)


def _without_partial(function: object) -> object:
    while isinstance(function, partial):
        function = cast("partial[object]", function).func
    return function


def _check_signature(typename: str, function: object, location: str) -> None:
    if not callable(function):
        raise RegistrationError(f"{typename} cannot be registered: {function!r} is no function")
    if inspect.isclass(function):
        raise RegistrationError(f"{typename} cannot be registered: {location} is a class, register an instance of it")
    for kind in _kinds(function):
        if inspect.isgeneratorfunction(kind) or inspect.isasyncgenfunction(kind):
            raise RegistrationError(f"{typename} cannot be registered: {location} is a generator, it would never run")
    try:
        signature = inspect.signature(function)
        signature.bind(object(), object())
    except (TypeError, ValueError) as error:
        raise RegistrationError(
            f"{typename} cannot be registered: the function in {location} must take a context and a message ({error})"
        ) from error
