"""Values that were given as secrets are in nothing that is shown."""

import json

import pytest

from statefun_runtime.masking import Secrets

AWKWARD = 'qu"ote\\ ünd\nline'


def test_a_secret_is_masked_wherever_it_stands() -> None:
    assert Secrets(["hunter2"]).mask("hunter2 is not hunter22") == "*** is not ***2"


@pytest.mark.parametrize("text", [AWKWARD, repr(AWKWARD), json.dumps(AWKWARD)])
def test_a_secret_is_masked_as_it_is_and_as_literals_write_it(text: str) -> None:
    assert "ote" not in Secrets([AWKWARD]).mask(text)


def test_a_secret_within_another_does_not_save_the_rest_of_it() -> None:
    assert Secrets(["hunter", "hunter2 and more"]).mask("hunter2 and more") == "***"


def test_texts_in_lists_and_mappings_are_masked_and_keys_are_not() -> None:
    given = {"hunter2": ["hunter2", 1, None, {"why": "no hunter2"}], "pair": ("hunter2", True)}
    assert Secrets(["hunter2"]).masked(given) == {
        "hunter2": ["***", 1, None, {"why": "no ***"}],
        "pair": ["***", True],
    }


def test_a_value_of_three_characters_is_left_in_words() -> None:
    assert Secrets(["dev", ""]).mask("a device") == "a device"


def test_secrets_do_not_show_themselves() -> None:
    assert "hunter2" not in repr(Secrets(["hunter2"]))
