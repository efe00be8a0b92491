"""The commands in the order in which a new user types them."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.ports import free_port
from tests.e2e.command import Command, Runtime, get, statefun

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = statefun("init", "shop", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    return tmp_path / "shop"


@pytest.fixture
def runtime(project: Path, tmp_path: Path) -> Iterator[Runtime]:
    """The project on free ports: a second file overlays the ports of the first."""
    runtime = Runtime(
        tmp_path, "module.yaml", str(tmp_path / "ports.yaml"), "--functions", "app:functions", cwd=project
    )
    write_ports(tmp_path, runtime)
    yield runtime
    runtime.kill()


def write_ports(directory: Path, runtime: Runtime, functions: int = 8000) -> None:
    directory.joinpath("ports.yaml").write_text(
        f"kind: io.statefun.playground.v1/ingress\nspec: {{port: {runtime.ingress_port}}}\n---\n"
        f"kind: io.statefun.playground.v1/egress\nspec: {{port: {runtime.egress_port}}}\n---\n"
        "kind: io.statefun.endpoints.v2/http\n"
        f"spec: {{functions: shop/*, urlPathTemplate: 'http://localhost:{functions}/'}}\n"
    )


def greet_twice(runtime: Runtime, project: Path) -> None:
    for number in (1, 2):
        sent = statefun(
            *("send", "shop/greeter/ada", '{"greeting": "Hello"}', "--type", "shop/Greet", "--url", runtime.url),
            cwd=project,
        )
        assert (sent.returncode, sent.stdout) == (0, "202 Accepted: the message is durable\n"), sent.stderr
        answer = (404, b"")
        while answer[0] == 404:
            answer = get(runtime.egress_port, "/greetings")
        assert answer == (200, f"Hello, ada! This is visit number {number}.".encode())
    listed = statefun("state", "list", "--data", str(runtime.data))
    assert listed.stdout == "shop/greeter/ada  seen  io.statefun.types/int  2\n"


def test_the_test_of_a_new_project_passes(project: Path) -> None:
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout
    assert " passed" in tested.stdout


def test_a_new_project_has_no_problems(project: Path) -> None:
    checked = statefun("check", "module.yaml", "--functions", "app:functions", "--strict", cwd=project)
    assert (checked.returncode, checked.stdout) == (0, "1 file: no problems\n")


def test_a_new_project_runs(runtime: Runtime, project: Path) -> None:
    runtime.start()
    greet_twice(runtime, project)
    assert runtime.stop() == 0


def test_a_new_project_runs_with_its_functions_in_a_process_of_their_own(project: Path, tmp_path: Path) -> None:
    port = free_port()

    def answers() -> bool:
        try:
            return get(port, "/healthz")[0] == 200
        except OSError:
            return False

    runtime = Runtime(tmp_path, "module.yaml", str(tmp_path / "ports.yaml"), cwd=project)
    write_ports(tmp_path, runtime, port)
    server = Command(tmp_path, "serve", "app:functions", "--port", str(port), ready=answers, cwd=project)
    try:
        runtime.start()
        server.wait_until_ready()
        greet_twice(runtime, project)
        assert runtime.stop() == 0
    finally:
        runtime.kill()
        server.kill()


def test_the_installed_command_tells_its_version() -> None:
    shown = statefun("--version")
    assert shown.returncode == 0
    assert shown.stdout.startswith("statefun ")
