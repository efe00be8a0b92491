"""The line that tells Java's clients how to log in; nothing that is put between its quotes gets out of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.kafka.jaas import JaasError, escape, is_quoted, parse_login

SECRET = "hunter2"
LINE = 'org.apache.kafka.common.security.{module} required username="alice" password="{password}";'


@pytest.mark.parametrize("module", ["plain.PlainLoginModule", "scram.ScramLoginModule"])
def test_a_line_holds_user_name_and_password(module: str) -> None:
    assert parse_login(LINE.format(module=module, password=r"a \"b\" ;c")) == ("alice", 'a "b" ;c')


def test_a_line_may_be_without_quotes_and_broken() -> None:
    line = "x.PlainLoginModule required\n  username='al ice'\n  password=pass;\n"
    assert parse_login(line) == ("al ice", "pass")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (SECRET, "cannot be read"),
        (LINE.format(module="oauthbearer.OAuthBearerLoginModule", password=SECRET), "names OAuthBearerLoginModule"),
        (f'x.PlainLoginModule required password="{SECRET}";', "has no username"),
    ],
)
def test_a_line_that_cannot_be_used_is_an_error_without_its_secret(line: str, why: str) -> None:
    with pytest.raises(JaasError, match=why) as caught:
        parse_login(line)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("quote", ['"', "'"])
@given(password=st.text())
def test_whatever_stands_between_quotes_is_the_password_and_nothing_else(quote: str, password: str) -> None:
    line = f"x.PlainLoginModule required username=alice password={quote}{escape(password)}{quote};"
    assert parse_login(line) == ("alice", password)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("password=@", False),
        ('password="@', True),
        ("password='@", True),
        (r'password="a\"@', True),
        ('username="a" password=@', False),
        ("""username="it's" password=@""", False),
        ("""username="it's" password="@""", True),
    ],
)
def test_a_place_is_known_to_be_between_quotes(line: str, expected: bool) -> None:
    assert is_quoted(line, line.index("@")) is expected
