"""What a module file takes from the environment and from files is in nothing that a run shows or stores."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.ports import free_port
from tests.e2e.command import Runtime, get, statefun, wait_until

pytestmark = pytest.mark.slow

PASSWORD = "pa'ss\"wo\\rd;1"
ENVIRONMENT = {**os.environ, "KAFKA_PASSWORD": PASSWORD, "AWS_ID": "AKIAHUNTER2EXAMPLE", "AWS_KEY": "hunter2/key"}
SHOWN = (PASSWORD, repr(PASSWORD)[1:-1], "HUNTER2", "hunter2")
MODULE = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: shop/orders
  address: 127.0.0.1:{port}
  topics: [{{topic: orders, valueType: shop/Order, targets: [e2e/greeter]}}]
  properties:
    - security.protocol: SASL_PLAINTEXT
    - sasl.mechanism: PLAIN
    - sasl.jaas.config: x.PlainLoginModule required username="shop" password="${{env:KAFKA_PASSWORD}}";
---
kind: io.statefun.kafka.v1/egress
spec:
  id: shop/receipts
  address: 127.0.0.1:{port}
  properties:
    - security.protocol: SASL_PLAINTEXT
    - sasl.mechanism: PLAIN
    - sasl.jaas.config: ${{file:login}}
---
kind: io.statefun.kinesis.v1/ingress
spec:
  id: shop/clicks
  awsRegion: {{type: custom-endpoint, endpoint: "http://127.0.0.1:{port}", id: eu-central-1}}
  awsCredentials: {{type: basic, accessKeyId: "${{env:AWS_ID}}", secretAccessKey: "${{env:AWS_KEY}}"}}
  streams: [{{stream: clicks, valueType: shop/Click, targets: [e2e/greeter]}}]
"""
REFUSED = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: shop/orders
  address: 127.0.0.1:1
  topics: [{topic: orders, valueType: shop/Order, targets: [e2e/greeter]}]
  properties: [{security.protocol: "${env:AWS_KEY}"}]
"""


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    """A runtime of the module file in `tmp_path`, not yet started."""
    runtime = Runtime(tmp_path, str(tmp_path / "module.yaml"), "--functions", "tests.e2e.application:functions")
    runtime.environment = ENVIRONMENT
    yield runtime
    runtime.kill()


def assert_no_secret(text: str) -> None:
    assert [secret for secret in SHOWN if secret in text] == []


def test_a_run_that_logs_all_it_can_shows_and_stores_no_secret(tmp_path: Path, runtime: Runtime) -> None:
    escaped = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
    (tmp_path / "login").write_text(f'x.PlainLoginModule required username="shop" password="{escaped}";\n')
    (tmp_path / "module.yaml").write_text(MODULE.format(port=free_port()))
    runtime.start("--log-level", "debug")

    def has_tried() -> bool:
        text = runtime.command.log.read_text()
        return all(sign in text for sign in ("reached (", "Credential=***/"))

    wait_until(has_tried, "the first attempts to reach Kafka and Kinesis")
    shown = [get(runtime.admin_port, path)[1].decode() for path in ("/status", "/metrics")]
    assert runtime.stop() == 0
    for text in (*shown, runtime.command.log.read_text(), statefun("journal", "--data", str(runtime.data)).stdout):
        assert_no_secret(text)
    stored = [path for path in runtime.data.rglob("*") if path.is_file()]
    assert stored
    for path in stored:
        assert_no_secret(path.read_bytes().decode("latin-1"))


@pytest.mark.parametrize("settings", [(), ("--debug",)])
def test_a_refused_secret_is_not_in_the_error_that_ends_a_run(
    tmp_path: Path, runtime: Runtime, settings: tuple[str, ...]
) -> None:
    (tmp_path / "module.yaml").write_text(REFUSED)
    runtime.launch(*settings)
    assert runtime.command.wait() == 1
    text = runtime.command.log.read_text()
    assert 'Invalid value "***" for configuration property "security.protocol"' in text
    assert_no_secret(text)
