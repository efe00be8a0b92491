"""The shop's demo on a real Kafka, as its README says, and the commands with which one tries the shop by hand."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.orders.scene import LOCAL
from examples.process import RuntimeProcess
from scripts.kafka_broker import plain_broker
from scripts.ports import free_port
from tests.repo.sources import ROOT

HERE = "examples/orders"

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(240)]


def test_the_demo_ends_with_every_piece_counted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "examples.orders.demo", "--fast", "--directory", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("kill -9 after") == 3
    assert done.stdout.count("✓") == 3


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    running = plain_broker(tmp_path, port)
    try:
        running.start()
        yield f"127.0.0.1:{port}"
    finally:
        running.kill()


def test_the_shop_can_be_tried_by_hand(broker: str, tmp_path: Path) -> None:
    port = free_port()
    local = tmp_path / "local.yaml"
    local.write_text(LOCAL.format(port=port, broker=broker))
    settings = ("--functions", "examples.orders.app:functions", "--config", f"{HERE}/statefun.toml")
    runtime = RuntimeProcess(tmp_path, f"{HERE}/module.yaml", str(local), *settings)

    def do(*words: str) -> str:
        command = [sys.executable, "-m", "examples.orders", "--broker", broker, "--url", f"http://127.0.0.1:{port}"]
        done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    do("topics")
    do("topics")
    try:
        runtime.start()
        do("deliver", "socks", "10")
        do("order", "1", "socks", "2")
        while (status := json.loads(do("show", "1"))["status"]) != "reserved":
            assert status in {"unknown", "new"}
        paid = do("pay", "1", "card-4711")
        assert json.loads(paid)["status"] == "paid"
        assert do("pay", "1", "card-4711") == paid
        assert json.loads(do("stock", "socks")) == {"available": 8, "reserved": 0, "sold": 2}
        runtime.stop()
    finally:
        runtime.kill()
