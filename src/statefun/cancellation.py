"""Cancellation tokens: the names by which delayed messages are called back."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class CancellationToken:
    """Names a delayed message within the address that sends it. Must not be empty."""

    token: str

    def __post_init__(self) -> None:
        if not isinstance(self.token, str):
            raise TypeError(f"a cancellation token is text, not {self.token!r}")
        if not self.token:
            raise ValueError("a cancellation token must not be empty")

    def __str__(self) -> str:
        return f"CancellationToken({self.token})"


CancellationTokenLike: TypeAlias = CancellationToken | str
"""A cancellation token, or its text."""


def token_text(token: CancellationTokenLike | None) -> str:
    """The bare text of a token; empty for no token (None or empty text)."""
    if isinstance(token, CancellationToken):
        return token.token
    if token is not None and not isinstance(token, str):
        raise TypeError(f"a cancellation token is text, not {token!r}")
    return token or ""
