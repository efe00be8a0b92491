"""The reference names every kind and property, and its examples are right."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from statefun_runtime.module.kinds import EGRESSES, ENDPOINTS, FIXED_IDS, INGRESSES
from statefun_runtime.module.transport_spec import ASYNC, OKHTTP

from .modules import Load
from .properties import property_names

REFERENCE = (Path(__file__).parents[3] / "docs/reference/module-yaml.md").read_text(encoding="utf-8")
KINDS: dict[str, type[BaseModel]] = {**ENDPOINTS, **INGRESSES, **EGRESSES}
EXAMPLES = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)


def named(name: str) -> bool:
    """Whether the name stands between backticks, alone or as the last part of a path."""
    return re.search(rf"`(?:[\w.]+\.)?{re.escape(name)}`", REFERENCE) is not None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_section(kind: str) -> None:
    assert f"### `{kind}`" in REFERENCE


@pytest.mark.parametrize("kind", KINDS)
def test_every_property_of_a_kind_is_named_in_its_section_or_where_that_points(kind: str) -> None:
    names = property_names(KINDS[kind])
    assert names
    assert [name for name in sorted(names) if not named(name)] == []


@pytest.mark.parametrize("name", [ASYNC, OKHTTP, *FIXED_IDS.values()])
def test_transports_and_fixed_ids_are_named(name: str) -> None:
    assert f"`{name}`" in REFERENCE or f"`transport: {name}`" in REFERENCE


@pytest.mark.parametrize("kind", KINDS)
def test_every_choice_is_named(kind: str) -> None:
    choices = set(re.findall(r"'(?:const|enum)': (?:'([^']+)'|\[([^\]]+)\])", str(KINDS[kind].model_json_schema())))
    words = {word.strip(" '") for single, several in choices for word in (single or several).split(",")}
    assert [word for word in sorted(words) if f"`{word}`" not in REFERENCE and f": {word}`" not in REFERENCE] == []


def test_the_examples_are_right(load: Load, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "kinesis_key").touch()
    assert len(EXAMPLES) == 5
    first, overlay, secrets, legacy, file = EXAMPLES
    for texts in ((first, overlay), (secrets,), (legacy,), (file,)):
        assert load(*texts, environment={"KINESIS_KEY_ID": "a"}).problems == ()


def test_the_legacy_names_of_kinds_are_named() -> None:
    for name in ("kafka/ingress", "kafka/egress", "kinesis/ingress", "kinesis/egress"):
        assert f"`io.statefun.{name}`" in REFERENCE
