"""Whatever a file holds: problems, never an exception."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statefun_runtime.module.kinds import EGRESSES, ENDPOINTS, INGRESSES
from statefun_runtime.module.loader import load_modules
from statefun_runtime.module.problem import Severity
from statefun_runtime.module.spec import AdapterSpec

from .properties import property_names

KINDS = [*ENDPOINTS, *INGRESSES, *EGRESSES, "com.acme/source", "io.statefun.kafka.v1/ingres"]
NAMES = sorted(
    {name for kind in (ENDPOINTS, INGRESSES, EGRESSES) for model in kind.values() for name in property_names(model)}
)
WORDS = [
    "latest",
    "earliest",
    "date",
    "basic",
    "specific",
    "exactly-once",
    "a/b",
    "a/*",
    "10 s",
    "http://host",
    "csv",
    "type",
]

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(WORDS))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*NAMES, "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
documents = st.fixed_dictionaries({"kind": st.sampled_from(KINDS), "spec": values})
syntax = st.text(alphabet="ab:-[]{},'\"&*!#%|>?@~<= \n\t\\x0U0/._é\ufeff", max_size=60)
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def check(directory: Path, *contents: bytes) -> None:
    paths = [directory / f"{at}.yaml" for at in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    result = load_modules(paths, own_ingresses={"com.acme/source": lambda: AdapterSpec})
    for problem in result.problems:
        assert problem.message
        assert problem.file in {str(path) for path in paths}
        assert str(problem).encode()
    assert all(problem.severity is Severity.ERROR for problem in result.errors)


@quick
@given(content=st.binary(max_size=200))
def test_any_bytes_give_problems_and_no_exception(tmp_path: Path, content: bytes) -> None:
    check(tmp_path, content)


@quick
@given(text=st.text(max_size=200))
def test_any_text_gives_problems_and_no_exception(tmp_path: Path, text: str) -> None:
    check(tmp_path, text.encode(errors="surrogatepass"))


@quick
@given(text=syntax)
def test_anything_like_yaml_gives_problems_and_no_exception(tmp_path: Path, text: str) -> None:
    check(tmp_path, text.encode())


@pytest.mark.slow
@quick
@given(first=st.lists(documents, max_size=3), second=st.lists(documents, max_size=2))
def test_any_documents_of_known_kinds_give_problems_and_no_exception(
    tmp_path: Path, first: list[object], second: list[object]
) -> None:
    check(tmp_path, *(yaml.safe_dump_all(part, allow_unicode=True).encode() for part in (first, second)))


@pytest.mark.slow
@quick
@given(body=values)
def test_any_legacy_document_gives_problems_and_no_exception(tmp_path: Path, body: object) -> None:
    item = {"meta": {"kind": "http", "type": "io.statefun.kafka/ingress", "id": body}, "spec": body}
    spec = {"endpoints": [{"endpoint": item}, body], "ingresses": [{"ingress": item}], "egresses": body}
    for module in ({"meta": {"type": "remote"}, "spec": spec}, {"meta": body, "spec": body}, body):
        check(tmp_path, yaml.safe_dump({"version": "3.0", "module": module}).encode())


@pytest.mark.parametrize(
    "text",
    [
        "%YAML 1.99999999999999999999999999999999999\n--- a",
        f"%YAML {'9' * 5000}.0\n--- a",
        '"\\UFFFFFFFF"',
        "? a\n? b\n",
        "[a: b, ? c]",
        "!<tag:x> a",
        "%TAG ! tag:x,2000:\n--- !y a",
        "&a",
        "*a",
        "<<: 1",
        "kind: io.statefun.playground.v1/ingress\nspec: {port: " + "9" * 5000 + "}",
        "kind: io.statefun.kafka.v1/ingress\nspec: {startupPosition: {type: date, date: date, dat: 1}}",
        "kind: io.statefun.kafka.v1/ingress\nspec: {startupPosition: {type: type, type.: 1}}",
        'kind: io.statefun.file.v1/egress\nspec: {id: a/b, path: "\\0"}',
    ],
)
def test_texts_that_once_were_trouble_for_readers_of_yaml(tmp_path: Path, text: str) -> None:
    check(tmp_path, text.encode())
