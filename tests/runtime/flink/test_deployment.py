import re
import shlex
from typing import Any

import click
import kubernetes_validate
import pytest
import yaml

from statefun_runtime.cli.main import main
from statefun_runtime.cli.serve import serve
from statefun_runtime.flink.configuration import JobSettings, job_configuration
from statefun_runtime.flink.deployment import (
    Deployment,
    FlinkVersion,
    Target,
    deployment_files,
    flink_configuration,
    functions_url,
)
from tests.runtime.cli.command_tree import commands_of
from tests.runtime.flink.deployments import MODULE, shop

TARGETS: tuple[Target, ...] = ("docker", "kubernetes")
VERSIONS: tuple[FlinkVersion, ...] = ("1.16", "2.2")


def manifests(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """The objects for Kubernetes, by kind."""
    texts = [text for name, text in deployment_files(deployment).items() if name.endswith(".yaml")]
    return {found["kind"]: found for text in texts for found in yaml.safe_load_all(text)}


def test_the_objects_are_what_kubernetes_takes() -> None:
    objects = manifests(shop(functions="app:functions"))
    del objects["FlinkDeployment"]
    assert set(objects) == {"ConfigMap", "Deployment", "Service", "HorizontalPodAutoscaler", "PersistentVolumeClaim"}
    for found in objects.values():
        kubernetes_validate.validate(found, "1.30", strict=True)


def test_the_pods_of_flink_are_what_kubernetes_takes() -> None:
    template = manifests(shop())["FlinkDeployment"]["spec"]["podTemplate"]
    # The operator completes the container of the job by image and command.
    template["spec"]["containers"][0]["image"] = "shop-runtime"
    kubernetes_validate.validate(template, "1.30", strict=True)


@pytest.mark.parametrize("target", TARGETS)
def test_the_configuration_is_that_of_every_job(target: Target) -> None:
    configuration = flink_configuration(shop(target, parallelism=3))
    settings = JobSettings(
        module="file:///opt/statefun/modules/shop/module.yaml",
        checkpoints="file:///state/checkpoints",
        savepoints="file:///state/savepoints",
        name="shop",
        parallelism=3,
        checkpoint_interval=10_000,
        state_backend="rocksdb",
    )
    assert job_configuration(settings).items() <= configuration.items()


@pytest.mark.parametrize("target", TARGETS)
def test_flink_2_gets_the_same_values_under_its_own_keys(target: Target) -> None:
    one, two = flink_configuration(shop(target)), flink_configuration(shop(target, "2.2"))
    assert list(one.values()) == list(two.values())
    assert two["state.backend.type"] == one["state.backend"] == "rocksdb"
    assert not two.keys() & {"state.backend", "restart-strategy", "high-availability", "env.java.opts"}


def test_the_configuration_in_the_files_is_text_for_flink() -> None:
    deployment = shop()
    written = manifests(deployment)["FlinkDeployment"]["spec"]["flinkConfiguration"]
    assert written == flink_configuration(deployment)
    lines = deployment_files(shop("docker"))["flink-conf.yaml"].splitlines()
    assert dict(line.split(": ", 1) for line in lines) == flink_configuration(shop("docker"))


def test_flink_2_reads_its_configuration_as_yaml() -> None:
    files = deployment_files(shop("docker", "2.2"))
    assert "flink-conf.yaml" not in files
    read = yaml.safe_load(files["config.yaml"])
    written = flink_configuration(shop("docker", "2.2"))
    assert {key: str(value).lower() for key, value in read.items()} == {
        key: value.lower() for key, value in written.items()
    }


def test_the_module_file_is_the_same_in_both() -> None:
    assert deployment_files(shop("docker"))["module.yaml"] == MODULE
    assert manifests(shop())["ConfigMap"]["data"]["module.yaml"] == MODULE


def test_flink_finds_the_module_file_where_it_is_mounted_or_copied() -> None:
    flink = manifests(shop())["FlinkDeployment"]["spec"]
    (mount, _state) = flink["podTemplate"]["spec"]["containers"][0]["volumeMounts"]
    assert flink["flinkConfiguration"]["statefun.remote.module-name"] == f"file://{mount['mountPath']}/module.yaml"
    containerfile = deployment_files(shop("docker"))["runtime.Containerfile"]
    assert "COPY module.yaml /opt/statefun/modules/shop/module.yaml" in containerfile
    assert "COPY flink-conf.yaml /opt/flink/conf/flink-conf.yaml" in containerfile


def test_checkpoints_lie_on_a_volume_unless_a_storage_is_named() -> None:
    claim = manifests(shop())["PersistentVolumeClaim"]["metadata"]["name"]
    flink = manifests(shop())["FlinkDeployment"]["spec"]["podTemplate"]["spec"]
    assert flink["volumes"][1] == {"name": "state", "persistentVolumeClaim": {"claimName": claim}}
    stored = manifests(shop(storage="s3://bucket/shop/"))
    assert "PersistentVolumeClaim" not in stored
    spec = stored["FlinkDeployment"]["spec"]
    assert [volume["name"] for volume in spec["podTemplate"]["spec"]["volumes"]] == ["module"]
    assert spec["flinkConfiguration"]["high-availability.storageDir"] == "s3://bucket/shop/recovery"


def test_flink_calls_the_functions_where_they_are_served() -> None:
    service = manifests(shop(functions="app:functions"))["Service"]
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]["port"]
    assert functions_url("shop", "kubernetes") == f"http://{name}:{port}/"
    compose = yaml.safe_load(deployment_files(shop("docker", functions="app:functions"))["compose.yaml"])
    assert "functions" in compose["services"]
    assert functions_url("shop", "docker") == "http://functions:8000/"


@pytest.mark.parametrize("target", TARGETS)
def test_the_container_of_the_functions_runs_a_command_that_there_is(target: Target) -> None:
    text = deployment_files(shop(target, functions="app:functions"))["functions.Containerfile"]
    (command,) = re.findall(r"^CMD (.*)$", text, re.MULTILINE)
    verb, *arguments = yaml.safe_load(command)
    assert commands_of(main)[verb] is serve
    assert serve.make_context("serve", arguments).params["port"] == 8000
    assert "pip" not in text
    assert (
        "requirements.txt"
        in deployment_files(shop(target, functions="a:f", requirements=True))["functions.Containerfile"]
    )


@pytest.mark.parametrize("target", TARGETS)
def test_without_functions_nothing_is_deployed_for_them(target: Target) -> None:
    assert not [name for name in deployment_files(shop(target)) if name.startswith("functions")]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("version", VERSIONS)
def test_no_placeholder_is_left_in_any_file(target: Target, version: FlinkVersion) -> None:
    files = deployment_files(shop(target, version, functions="app:functions", requirements=True))
    assert all(text.endswith("\n") for text in files.values())
    assert [name for name, text in files.items() if re.search(r"\$(?!\{STATEFUN\})", text)] == []


def test_compose_starts_a_jobmanager_and_the_taskmanagers_from_one_image() -> None:
    services = yaml.safe_load(deployment_files(shop("docker", parallelism=4))["compose.yaml"])["services"]
    assert services["jobmanager"]["build"] == services["taskmanager"]["build"]
    assert services["jobmanager"]["environment"] == {"ROLE": "master", "MASTER_HOST": "jobmanager"}
    assert services["taskmanager"]["environment"] == {"ROLE": "worker", "MASTER_HOST": "jobmanager"}
    assert services["taskmanager"]["deploy"]["replicas"] == 4
    assert services["jobmanager"]["ports"] == ["127.0.0.1:8081:8081"]


@pytest.mark.parametrize(
    "wrong", [{"name": "Shop"}, {"name": "a\nb"}, {"name": "x" * 41}, {"base_image": "a b"}, {"storage": "/state"}]
)
def test_what_would_break_a_file_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(next(iter(wrong.values()))))):
        shop(**wrong)


def test_the_commands_of_the_readmes_are_commands() -> None:
    for target in TARGETS:
        text = deployment_files(shop(target, functions="app:functions"))["README.md"]
        for command in re.findall(r"^statefun (.*?)(?: {2,}#.*)?$", text, re.MULTILINE):
            group, verb, *options = shlex.split(command)
            flink = commands_of(main)[group]
            assert isinstance(flink, click.Group)
            assert flink.commands[verb].make_context(verb, options)
