"""Typenames: the names of functions, of value types and of egresses, written `<namespace>/<name>`."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias


@dataclass(frozen=True, order=True, slots=True)
class TypeName:
    """A namespace and a name. Immutable, hashable, ordered by namespace and then name; `str()` is `namespace/name`.

    Raises:
        ValueError: A part is empty, or the name contains a `/` (which `parse` could not give back).
    """

    namespace: str
    name: str
    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        text = f"{self.namespace}/{self.name}"
        if split_typename(text) != (self.namespace, self.name):
            raise ValueError(f"{self.name!r} cannot be the name of a typename: it contains a '/'")
        object.__setattr__(self, "_text", text)

    @classmethod
    def parse(cls, text: str) -> "TypeName":
        """Read `namespace/name`, split at the last `/`: the namespace may contain slashes, the name may not.

        Raises:
            ValueError: `text` has no `/`, or a part is empty.
        """
        return cls(*split_typename(text))

    @classmethod
    def from_parts(cls, namespace: str, name: str) -> "TypeName":
        """The same as the constructor, under the name that other SDKs use."""
        return cls(namespace, name)

    def __str__(self) -> str:
        return self._text


TypeNameLike: TypeAlias = TypeName | str
"""A typename, or its text."""


@lru_cache(maxsize=4096)
def split_typename(text: str) -> tuple[str, str]:
    """Split `namespace/name` at the last `/`.

    Raises:
        TypeError: `text` is no text.
        ValueError: `text` has no `/`, or a part is empty.
    """
    _check_text(text)
    namespace, slash, name = text.rpartition("/")
    if not slash:
        raise ValueError(f"{text!r} is not a typename: it has no '/', the form is namespace/name")
    if not namespace:
        raise ValueError(f"{text!r} is not a typename: the namespace before the '/' is empty")
    if not name:
        raise ValueError(f"{text!r} is not a typename: the name after the '/' is empty")
    return namespace, name


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"a typename is text like 'namespace/name', not {text!r}")


@lru_cache(maxsize=4096)
def typename_from_parts(namespace: str, name: str) -> TypeName:
    """A shared typename of parts as they are, unchecked: what a peer is called is its own affair."""
    typename = TypeName.__new__(TypeName)
    for field_name, text in (("namespace", namespace), ("name", name), ("_text", f"{namespace}/{name}")):
        object.__setattr__(typename, field_name, text)
    return typename


def as_typename(typename: TypeNameLike) -> TypeName:
    """The TypeName of a typename or of its text."""
    return typename if isinstance(typename, TypeName) else typename_from_parts(*split_typename(typename))


def typename_text(typename: TypeNameLike) -> str:
    """The checked text of a typename. Raises as `split_typename` does."""
    if isinstance(typename, str):
        split_typename(typename)
        return typename
    return str(as_typename(typename))
