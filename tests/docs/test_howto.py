"""The code of the how-to pages runs."""

import asyncio
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from statefun import Address, IntType, ValueSpec, message_builder
from statefun.client import CursorGoneError
from statefun.protocol.request_reply_pb2 import ToFunction
from statefun.testing import call
from statefun_runtime.module.loader import load_modules
from statefun_runtime.testing import EGRESS_CHECKS, EgressCheck
from tests.repo.sources import ROOT
from tests.sdk.client.server import answer, scripted_server

HOWTO = ROOT / "docs" / "howto"


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (HOWTO / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def run(code: str, page: str) -> ModuleType:
    module = ModuleType(page)
    exec(compile(code, page, "exec"), module.__dict__)
    return module


TESTING = run("\n".join(python_blocks("test.md")), "test.md")


@pytest.mark.parametrize("name", [name for name in vars(TESTING) if name.startswith("test_")])
def test_the_tests_of_the_page_on_testing_pass(name: str) -> None:
    vars(TESTING)[name]()


def test_the_page_on_testing_shows_both_kinds_of_test() -> None:
    assert sum(name.startswith("test_") for name in vars(TESTING)) == 2


async def test_the_handlers_of_the_page_on_serving_answer() -> None:
    asgi, aws = [run(block, "serve.md") for block in python_blocks("serve.md")]
    request = ToFunction()
    request.invocation.target.namespace, request.invocation.target.type = "example", "nobody"
    with pytest.raises(KeyError, match="example/nobody"):
        await asgi.handler.handle_async(request.SerializeToString())
    assert aws.lambda_handler({"httpMethod": "POST", "body": ""}, None)["statusCode"] == 400


def test_the_code_of_the_page_on_the_client_runs() -> None:
    reply = answer(200, b"7", Statefun_Type="io.statefun.types/int", Content_Type="application/json")
    record = b'{"cursor":"l-1","typename":"shop/Order","value":{"total":12.5}}\n'
    blocking, waiting, following = python_blocks("client.md")
    with scripted_server() as server:
        server.acts += [answer(202), answer(202), reply, reply]
        server.acts += [answer(200, record, Statefun_Cursor="l-1"), answer(410, b'{"oldest": "l-9"}')]
        assert run(blocking.replace("http://127.0.0.1:8090", server.url), "client.md").count == 7
        counting = run(waiting.replace("http://127.0.0.1:8090", server.url), "client.md")
        assert asyncio.run(counting.count_of("ada")) == 7
        with pytest.raises(CursorGoneError):
            run(following, "client.md").follow(server.url, "")


def test_the_function_of_the_page_on_calls_answers_its_caller_with_the_count() -> None:
    [block] = python_blocks("http-calls.md")
    outcome = call(
        run(block, "http-calls.md").functions,
        message_builder("shop/cart", "ada", str_value="socks"),
        state={ValueSpec("items", IntType): 2},
        caller=Address("io.statefun.http/request", "a call"),
    )
    [reply] = outcome.sent
    assert (reply.target_typename, reply.target_id, reply.as_int()) == ("io.statefun.http/request", "a call", 3)


def test_the_function_of_the_page_on_http_sends_the_record_that_a_reader_is_shown() -> None:
    [block] = python_blocks("http.md")
    page = run(block, "http.md")
    outcome = call(page.functions, message_builder("shop/checkout", "ada", str_value="now"))
    [record] = outcome.egress
    shown = json.dumps({"customer": "ada", "total": 12.5})
    assert (record.typename, record.as_type(page.ORDER)) == ("shop/orders", json.loads(shown))
    assert f'"typename":"shop/Order","value":{shown}' in (HOWTO / "http.md").read_text(encoding="utf-8")


ADAPTERS = run("\n".join(python_blocks("adapters.md")), "adapters.md")


@pytest.mark.contract
@pytest.mark.parametrize("check", EGRESS_CHECKS)
async def test_the_egress_of_the_page_on_adapters_keeps_the_contract(check: EgressCheck, tmp_path: Path) -> None:
    await ADAPTERS.test_the_egress_keeps_the_contract(check, tmp_path)


def test_the_module_file_of_the_page_on_adapters_is_checked_as_the_page_shows(tmp_path: Path) -> None:
    text = (HOWTO / "adapters.md").read_text(encoding="utf-8")
    [module] = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    [shown] = re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    own = {"example.files/egress": lambda: ADAPTERS.DirectoryEgressSpec}
    path = tmp_path / "local.yaml"
    path.write_text(module)
    result = load_modules([path], own_egresses=own)
    assert result.problems == ()
    [component] = result.module.egresses
    assert component.spec == ADAPTERS.DirectoryEgressSpec(id="shop/receipts", path=tmp_path / "receipts")
    path.write_text(module.replace("path:", "pth:"))
    problems = load_modules([path], own_egresses=own).problems
    assert "".join(f"{problem}\n".replace(f"{tmp_path}/", "") for problem in problems) == shown
