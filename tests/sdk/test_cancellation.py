"""Cancellation tokens."""

from typing import Any

import pytest

from statefun import CancellationToken


def test_a_cancellation_token_is_text_that_is_not_empty() -> None:
    token = CancellationToken("alert-1")
    assert (token.token, str(token)) == ("alert-1", "CancellationToken(alert-1)")
    with pytest.raises(ValueError, match=r"\S"):
        CancellationToken("")


def test_tokens_of_the_same_text_are_equal() -> None:
    assert CancellationToken("a") == CancellationToken("a") != CancellationToken("b")
    assert len({CancellationToken("a"), CancellationToken("a")}) == 1


@pytest.mark.parametrize("token", [3, None, b"bytes"])
def test_a_token_that_is_no_text_is_refused(token: Any) -> None:
    with pytest.raises(TypeError, match="is text"):
        CancellationToken(token)
