"""The fields of the protocol that the other SDKs know, asked of their own generated classes."""

import re
import subprocess
from collections.abc import Callable

import pytest

from scripts.cached_environment import cached_environment
from tests.conformance.languages import PRESENT, Language
from tests.protocol.golden import EXISTING_SDK

pytestmark = [pytest.mark.slow, pytest.mark.conformance, pytest.mark.timeout(300)]
FIELDS = {"TypedValue": "typename has_value value", "KafkaProducerRecord": "key value_bytes topic"}
FILES = {"TypedValue": "request-reply", "KafkaProducerRecord": "kafka-egress"}
"""Where the messages stand in the packages of JavaScript and Python."""
JAVA_PACKAGES = {"TypedValue": "reqreply", "KafkaProducerRecord": "egress"}


def printed(language: Language, *command: str) -> str:
    finished = subprocess.run(command, cwd=language.built(), capture_output=True, text=True, check=False, timeout=120)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def fields_in_go(language: Language, message: str) -> list[str]:
    package = "github.com/apache/flink-statefun/statefun-sdk-go/v3/pkg/statefun/internal/protocol"
    return re.findall(r'protobuf:"[^"]*name=(\w+)', printed(language, "go", "doc", "-u", f"{package}.{message}"))


def fields_in_javascript(language: Language, message: str) -> list[str]:
    """By the methods that set them, which hold fields of every kind."""
    script = (
        f"const {{ {message}: message }} = require('apache-flink-statefun/dist/generated/{FILES[message]}_pb');"
        "console.log(Object.keys(message.prototype).join(' '))"
    )
    names = re.findall(r"\bset(\w+)", printed(language, "node", "-e", script))
    return [re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() for name in names]


def fields_in_java(language: Language, message: str) -> list[str]:
    name = f"org.apache.flink.statefun.sdk.{JAVA_PACKAGES[message]}.generated.{message}"
    told = printed(language, "javap", "-constants", "-cp", "lib/statefun-sdk-java-3.3.0.jar", name)
    return [constant.lower() for constant in re.findall(r"(\w+)_FIELD_NUMBER", told)]


def fields_in_python(language: Language, message: str) -> list[str]:
    python = str(cached_environment("flink-statefun-3.5.0", EXISTING_SDK))
    module = FILES[message].replace("-", "_")
    script = f"from statefun.{module}_pb2 import {message} as m; print(*(f.name for f in m.DESCRIPTOR.fields))"
    return printed(language, python, "-I", "-c", script).split()


READ: dict[str, Callable[[Language, str], list[str]]] = {
    "go": fields_in_go,
    "javascript": fields_in_javascript,
    "java": fields_in_java,
    "existing-python": fields_in_python,
}


@pytest.mark.parametrize("message", FIELDS)
@pytest.mark.parametrize("language", [each for each in PRESENT if each.name in READ], ids=lambda each: each.name)
def test_no_other_sdk_knows_headers_of_messages_or_records(language: Language, message: str) -> None:
    assert sorted(READ[language.name](language, message)) == sorted(FIELDS[message].split())
