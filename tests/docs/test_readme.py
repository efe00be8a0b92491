"""The application of the README does what the README shows."""

import re
from types import ModuleType
from typing import Any

from statefun import IntType, ValueSpec, make_json_type, message_builder
from statefun.address import Address
from statefun.testing import Application, call
from tests.repo.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
EGRESS = "io.statefun.playground/egress"
RECORD: Any = make_json_type("io.statefun.playground/EgressRecord")
SENT = re.compile(r"curl -X PUT -d '(?P<body>[^']*)' localhost:8090/(?P<function>\S+)/(?P<id>\w+)")
READ = re.compile(r"\$ curl localhost:8091/(?P<topic>\w+)\n(?P<shown>.*)\n```")


def application() -> ModuleType:
    [code] = re.findall(r"^```python\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    assert len(code.splitlines()) <= 20
    module = ModuleType("readme")
    exec(compile(code, "README.md", "exec"), module.__dict__)
    return module


def test_the_application_answers_as_shown_and_goes_on_counting() -> None:
    sent, read = SENT.search(README), READ.search(README)
    assert sent is not None
    assert read is not None
    app = Application(application().functions, egresses=[EGRESS])
    message = message_builder(sent["function"], sent["id"], str_value=sent["body"])
    app.send(message)
    app.restart()
    app.send(message)
    assert [record.as_type(RECORD) for record in app.egress(EGRESS)] == [
        {"topic": read["topic"], "payload": read["shown"]},
        {"topic": read["topic"], "payload": read["shown"].replace("for the 1.", "for the 2.")},
    ]
    assert app.state(Address(sent["function"], sent["id"]), ValueSpec("seen", IntType)) == 2


def test_its_function_can_be_called_in_a_plain_test() -> None:
    module = application()
    outcome = call(module.functions, message_builder("example/greeter", "ada", str_value="x"), state={module.SEEN: 41})
    assert outcome.state(module.SEEN) == 42
