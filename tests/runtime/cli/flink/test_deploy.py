from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from statefun_runtime.cli.main import main
from statefun_runtime.module.loader import load_modules

MODULE = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: shop/orders
  address: kafka:9092
  topics: [{topic: orders, valueType: shop/Order, targets: [shop/cart]}]
---
kind: io.statefun.endpoints.v2/http
spec:
  functions: shop/*
  urlPathTemplate: http://localhost:8000/
  transport: {type: io.statefun.transports.v1/async, call: 30s}
"""
EGRESS = "kind: io.statefun.kafka.v1/egress\nspec:\n  id: shop/out\n  address: kafka:9092\n"
LOGIN = (
    EGRESS
    + """\
  properties:
    - security.protocol: SASL_SSL
    - sasl.jaas.config: PlainLoginModule required username="u" password="hunter2";
"""
)
CERTIFICATE = MODULE.replace("call: 30s", "client_cert: c.pem, client_key: k.pem, client_key_password: p.txt")
KINESIS = """\
kind: io.statefun.kinesis.v1/egress
spec:
  id: shop/out
  awsCredentials: {type: basic, accessKeyId: AKIA, secretAccessKey: hunter2}
"""
APP = """\
from statefun import StatefulFunctions
functions = StatefulFunctions()
@functions.bind("shop/cart")
def cart(context, message):
    pass
"""


@pytest.fixture(autouse=True)
def files(directory: Path) -> None:
    (directory / "module.yaml").write_text(MODULE)
    (directory / "app.py").write_text(APP)


@pytest.fixture
def deploy(cli: CliRunner) -> Callable[..., Result]:
    def run(*options: str, module: str = "module.yaml", target: str = "docker") -> Result:
        return cli.invoke(
            main, ["flink", "deploy", module, "--target", target, "--out", "out/deploy", "--name", "shop", *options]
        )

    return run


def test_the_functions_are_reached_at_their_container(deploy: Callable[..., Result], directory: Path) -> None:
    result = deploy("--functions", "app:functions")
    assert result.exit_code == 0
    written = load_modules([directory / "out/deploy/module.yaml"]).require()
    urls = {endpoint.functions: endpoint.url_template for endpoint in written.endpoints}
    assert urls["shop/cart"] == "http://functions:8000/"
    assert [endpoint.transport.call_timeout for endpoint in written.endpoints] == [30_000, 30_000]


def test_the_files_written_are_listed(deploy: Callable[..., Result], directory: Path) -> None:
    result = deploy("--functions", "app:functions", target="kubernetes")
    listed = sorted(Path(line) for line in result.stdout.splitlines())
    assert listed == sorted(path.relative_to(directory) for path in (directory / "out/deploy").iterdir())
    assert {path.name for path in listed} == {
        "README.md",
        "configmap.yaml",
        "flink.yaml",
        "functions.Containerfile",
        "functions.yaml",
        "runtime.Containerfile",
        "storage.yaml",
    }


def test_containers_are_built_from_the_application(deploy: Callable[..., Result], directory: Path) -> None:
    assert deploy("--functions", "app:functions").exit_code == 0
    out = directory / "out/deploy"
    build = yaml.safe_load((out / "compose.yaml").read_text())["services"]["functions"]["build"]
    assert (out / build["context"]).resolve() == directory
    assert (out / build["context"] / build["dockerfile"]).resolve() == out / "functions.Containerfile"


def test_files_that_are_there_are_overwritten_only_by_force(deploy: Callable[..., Result], directory: Path) -> None:
    assert deploy().exit_code == 0
    readme = directory / "out/deploy/README.md"
    readme.write_text("mine")
    result = deploy()
    assert result.exit_code == 1
    assert "README.md" in result.stderr
    assert "--force" in result.stderr
    assert readme.read_text() == "mine"
    assert deploy("--force").exit_code == 0
    assert readme.read_text() != "mine"


@pytest.mark.parametrize("text", [LOGIN, KINESIS])
def test_a_secret_is_refused_and_neither_written_nor_shown(
    deploy: Callable[..., Result], directory: Path, text: str
) -> None:
    (directory / "secret.yaml").write_text(text)
    result = deploy(module="secret.yaml")
    assert result.exit_code == 1
    assert "a secret is not written" in result.stderr
    assert "hunter2" not in result.output
    assert not (directory / "out").exists()


def test_the_name_of_a_file_that_holds_a_secret_is_none(deploy: Callable[..., Result], directory: Path) -> None:
    (directory / "module.yaml").write_text(CERTIFICATE)
    assert deploy().exit_code == 0


def test_what_a_cluster_would_refuse_is_refused(deploy: Callable[..., Result], directory: Path) -> None:
    (directory / "local.yaml").write_text("kind: io.statefun.playground.v1/ingress\nspec: {port: 8090}\n")
    result = deploy(module="local.yaml")
    assert result.exit_code == 1
    assert "local.yaml:1:7: refused: kind: " in result.stderr
    assert not (directory / "out").exists()


def test_what_is_wrong_with_a_module_file_is_told(deploy: Callable[..., Result], directory: Path) -> None:
    (directory / "module.yaml").write_text(MODULE.replace("functions: shop/*", "functions: shop"))
    result = deploy()
    assert result.exit_code == 1
    assert "module.yaml:9:14: error: spec.functions: " in result.stderr


def test_a_name_that_kubernetes_would_not_take_is_wrong_usage(deploy: Callable[..., Result]) -> None:
    result = deploy("--name", "My Shop")
    assert result.exit_code == 2
    assert "'My Shop' cannot name a deployment" in result.stderr


def test_without_a_name_the_directory_gives_it(
    cli: CliRunner, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = directory / "My Shop_2"
    shop.mkdir()
    monkeypatch.chdir(shop)
    (shop / "module.yaml").write_text(MODULE)
    result = cli.invoke(main, ["flink", "deploy", "module.yaml", "--target", "docker", "--out", "deploy"])
    assert result.exit_code == 0
    assert yaml.safe_load((shop / "deploy/compose.yaml").read_text())["name"] == "my-shop-2"
