"""The files of a deployment against the schema of the Flink Kubernetes Operator, which its archive carries."""

import zipfile
from functools import partial
from typing import Any

import jsonschema
import pytest
import yaml

from scripts.flink_archives import OPERATOR
from statefun_runtime.cli.flink.cache_options import default_cache
from statefun_runtime.flink.deployment import FlinkVersion, deployment_files
from statefun_runtime.flink.maven import Cache
from tests.runtime.flink.deployments import CRD, shop

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(600)]


def closed(schema: Any) -> Any:
    """A schema that takes no property that it does not name, as the server refuses with strict validation."""
    if isinstance(schema, dict):
        shut = {key: closed(value) for key, value in schema.items()}
        named = isinstance(shut.get("properties"), dict) and shut.get("type") == "object"
        open_to_all = shut.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in shut
        return {**shut, "additionalProperties": False} if named and not open_to_all else shut
    return [closed(item) for item in schema] if isinstance(schema, list) else schema


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    (archive,) = [
        jar for jar in Cache(default_cache(), partial(print, flush=True)).jars(OPERATOR) if "operator-api" in jar.name
    ]
    with zipfile.ZipFile(archive) as opened:
        definition = yaml.safe_load(opened.read(CRD))
    spec: dict[str, Any] = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return spec


def spec_of(flink: FlinkVersion, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(deployment_files(shop(flink=flink, **more))["flink.yaml"])["spec"]
    return found


@pytest.mark.parametrize("more", [{}, {"storage": "s3://bucket/shop"}, {"parallelism": 4}])
def test_the_operator_takes_a_deployment_on_1_16(schema: dict[str, Any], more: dict[str, Any]) -> None:
    jsonschema.validate(spec_of("1.16", **more), closed(schema))


def test_a_deployment_on_2_2_differs_in_version_and_configuration_alone(schema: dict[str, Any]) -> None:
    # The operator's archives on Maven Central end before the version that knows Flink 2.2.
    one, two = spec_of("1.16"), spec_of("2.2")
    assert two["flinkVersion"] == "v2_2"
    assert {key for key in one if one[key] != two[key]} == {"flinkVersion", "flinkConfiguration"}


def test_a_property_that_the_operator_does_not_know_is_found(schema: dict[str, Any]) -> None:
    wrong = spec_of("1.16")
    wrong["job"]["paralelism"] = 1
    with pytest.raises(jsonschema.ValidationError, match="paralelism"):
        jsonschema.validate(wrong, closed(schema))
