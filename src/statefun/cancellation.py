"""Cancellation tokens: the names by which delayed messages are called back."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class CancellationToken:
    """Names a delayed message within the address that sends it. Must not be empty."""

    token: str

    def __post_init__(self) -> None:
        if not _checked_text(self.token):
            raise ValueError("a cancellation token must not be empty")

    def __str__(self) -> str:
        return f"CancellationToken({self.token})"


CancellationTokenLike: TypeAlias = CancellationToken | str
"""A cancellation token, or its text."""


def token_text(token: CancellationTokenLike | None) -> str:
    """The bare text of a token; empty for no token (None or empty text)."""
    if isinstance(token, CancellationToken):
        return token.token
    return _checked_text(token) if token else ""


def _checked_text(token: object) -> str:
    if not isinstance(token, str):
        raise TypeError(f"a cancellation token is text, not {token!r}")
    return token
