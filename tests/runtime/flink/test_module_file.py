from pathlib import Path

import pytest
import yaml

from statefun_runtime.flink.module_file import as_yaml, with_hosted
from statefun_runtime.module.declaration import Declaration
from statefun_runtime.module.loader import load_modules

URL = "http://127.0.0.1:4711/"
KAFKA = """\
kind: io.statefun.kafka.v1/egress
spec:
  id: shop/out
  address: kafka:9092
  deliverySemantic:
    type: exactly-once
    transactionTimeout: 1min
  properties:
    - client.id: "0123"
    - linger.ms: 5
"""


def declared(directory: Path, text: str) -> tuple[Declaration, ...]:
    file = directory / "module.yaml"
    file.write_text(text)
    result = load_modules([file])
    assert result.errors == ()
    return result.declarations


def endpoint(functions: str, url: str, more: str = "") -> str:
    return f"---\nkind: io.statefun.endpoints.v2/http\nspec: {{functions: {functions}, urlPathTemplate: {url}{more}}}\n"


def documents(declarations: list[Declaration]) -> list[object]:
    return list(yaml.safe_load_all(as_yaml(declarations)))


def test_a_file_is_written_as_yaml_reads_it(tmp_path: Path) -> None:
    text = (
        KAFKA + "---\nkind: io.statefun.playground.v1/egress\nspec: {port: 8091, topics: ['no', \"\\u00e9\\n\", b]}\n"
    )
    written = documents(list(declared(tmp_path, text)))
    assert written == list(yaml.safe_load_all(text))


def test_an_empty_spec_and_an_empty_list_stay_so(tmp_path: Path) -> None:
    text = "kind: io.statefun.playground.v1/egress\nspec: {topics: []}\n"
    assert documents(list(declared(tmp_path, text))) == [yaml.safe_load(text)]


def test_a_hosted_function_is_called_at_the_local_server_as_its_endpoint_says(tmp_path: Path) -> None:
    text = endpoint("shop/*", '"http://far/{function.name}"', ", maxNumBatchRequests: 7, transport: {call: 9s}")
    wildcard, hosted = documents(with_hosted(declared(tmp_path, text), ["shop/cart"], URL))
    assert wildcard == yaml.safe_load(text)
    assert hosted == {
        "kind": "io.statefun.endpoints.v2/http",
        "spec": {
            "functions": "shop/cart",
            "urlPathTemplate": URL,
            "maxNumBatchRequests": 7,
            "transport": {"call": "9s"},
        },
    }


@pytest.mark.parametrize("served", ["other/*", "shop/cart"])
def test_each_hosted_function_has_one_endpoint(tmp_path: Path, served: str) -> None:
    written = with_hosted(declared(tmp_path, endpoint(served, "http://far/")), ["shop/cart"], URL)
    assert [declaration.identity for declaration in written] == list(dict.fromkeys(["other/*", "shop/cart"]))[
        served == "shop/cart" :
    ]


def test_documents_that_are_no_endpoints_keep_their_order(tmp_path: Path) -> None:
    text = endpoint("a/b", "http://far/") + "---\n" + KAFKA
    kinds = [declaration.kind for declaration in with_hosted(declared(tmp_path, text), ["a/b"], URL)]
    assert kinds == ["io.statefun.kafka.v1/egress", "io.statefun.endpoints.v2/http"]
