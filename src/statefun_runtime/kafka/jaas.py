"""The line with which Java's Kafka clients are told how to log in: `sasl.jaas.config`. Pure.

No part of the line ever stands in an error: it may be a secret.
"""

import re
from collections.abc import Mapping

PROPERTY = "sasl.jaas.config"

_LOGIN_MODULE = re.compile(r"\s*([\w.$]+)\s+(?:required|requisite|sufficient|optional)\b(.*?);?\s*", re.DOTALL)
_OPTION = re.compile(r"""(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s;"']+))""", re.DOTALL)
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r"""[\\"']""")
_PASSWORD_LOGINS = frozenset({"PlainLoginModule", "ScramLoginModule"})


class JaasError(ValueError):
    """The line cannot be used; the text says why, and repeats nothing of it but the name of the login module."""


def parse_login(line: str) -> tuple[str, str]:
    """The user name and the password in a line for `PlainLoginModule` or `ScramLoginModule`.

    Raises:
        JaasError: The line cannot be read, is for another login module, or lacks one of the two.
    """
    match = _LOGIN_MODULE.fullmatch(line)
    if match is None:
        raise JaasError('cannot be read; it must be: <login module> required username="…" password="…";')
    module = match[1].rpartition(".")[2]
    if module not in _PASSWORD_LOGINS:
        raise JaasError(f"names {module}; only {' and '.join(sorted(_PASSWORD_LOGINS))} are supported")
    options = _options(match[2])
    if not options.get("username") or "password" not in options:
        raise JaasError("has no username or no password")
    return options["username"], options["password"]


def escape(value: str) -> str:
    """`value` as it stands between quotes, single or double ones: none of its characters can end them."""
    return _SPECIAL.sub(r"\\\g<0>", value)


def is_quoted(line: str, at: int) -> bool:
    """Whether the place `at` of a line is between quotes."""
    outside = _QUOTED.sub("", line[:at])
    return '"' in outside or "'" in outside


def _options(text: str) -> Mapping[str, str]:
    return {
        option[1]: _ESCAPED.sub(r"\1", option[2] or option[3] or option[4] or "") for option in _OPTION.finditer(text)
    }
