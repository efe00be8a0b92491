"""The functions of an application."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from statefun.errors import RegistrationError, UnknownFunctionError
from statefun.function_spec import StatefulFunction, StatefulFunctionSpec
from statefun.handler import RequestReplyHandler
from statefun.typename import TypeNameLike
from statefun.value_spec import ValueSpec

F = TypeVar("F", bound=StatefulFunction)


class StatefulFunctions:
    """A registry of functions. Functions may be added while a handler already serves it."""

    __slots__ = ("_specs", "_where")

    def __init__(self) -> None:
        self._specs: dict[tuple[str, str], StatefulFunctionSpec] = {}
        self._where: dict[tuple[str, str], str] = {}

    def with_spec(self, spec: StatefulFunctionSpec) -> "StatefulFunctions":
        """Add a function and return this registry.

        Raises:
            RegistrationError: A function of this typename is there already; the text names both places.
        """
        key = (spec.function_type.namespace, spec.function_type.name)
        where = f"{_registration_place()} (the function is in {spec.location})"
        if key in self._specs:
            raise RegistrationError(
                f"{spec.typename} is registered twice: first at {self._where[key]}, and again at {where}"
            )
        self._specs[key] = spec
        self._where[key] = where
        return self

    def register(
        self, typename: TypeNameLike, fun: StatefulFunction, specs: Sequence[ValueSpec[Any]] | None = None
    ) -> None:
        """Add a function.

        Raises:
            RegistrationError: As `StatefulFunctionSpec` and `with_spec` do.
        """
        self.with_spec(StatefulFunctionSpec(typename, fun, specs))

    def bind(self, typename: TypeNameLike, specs: Sequence[ValueSpec[Any]] | None = None) -> Callable[[F], F]:
        """A decorator that adds a function and leaves it as it is. Raises as `register` does."""

        def add(function: F) -> F:
            self.register(typename, function, specs)
            return function

        return add

    def as_handler(self) -> RequestReplyHandler:
        """A handler that serves these functions."""
        return RequestReplyHandler(self)

    def find(self, namespace: str, name: str) -> StatefulFunctionSpec | None:
        """The function of this type, or None."""
        return self._specs.get((namespace, name))

    def for_typename(self, typename: TypeNameLike) -> StatefulFunctionSpec:
        """The function of this type.

        Raises:
            UnknownFunctionError: There is none; the text lists those that there are.
        """
        namespace, _, name = str(typename).rpartition("/")
        spec = self.find(namespace, name)
        if spec is None:
            known = ", ".join(sorted(each.typename for each in self)) or "none"
            raise UnknownFunctionError(f"there is no function {typename}; registered are: {known}")
        return spec

    def __iter__(self) -> Iterator[StatefulFunctionSpec]:
        return iter(tuple(self._specs.values()))


def _registration_place() -> str:
    """File and line of the nearest caller outside this file."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "an unknown place"
