"""`statefun run` as users start it: messages in, kills, state and records out."""

import http.client
import json
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.ports import free_port
from tests.e2e.command import Runtime, get, statefun, wait_until
from tests.e2e.senders import Load
from tests.e2e.server import Server

pytestmark = pytest.mark.slow
APPLICATION = "tests.e2e.application:functions"
STRING = "io.statefun.types/string"
MODULE = """\
kind: io.statefun.playground.v1/ingress
spec: {{port: {ingress}}}
---
kind: io.statefun.playground.v1/egress
spec: {{port: {egress}, topics: [greetings]}}
---
kind: io.statefun.endpoints.v2/http
spec:
  functions: e2e/*
  urlPathTemplate: {url}
"""


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    """A runtime that hosts the application, not yet started."""
    runtime = Runtime(tmp_path, APPLICATION)
    yield runtime
    runtime.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, APPLICATION)
    yield server
    server.command.kill()


@pytest.fixture
def remote(tmp_path: Path, server: Server) -> Iterator[Runtime]:
    """A runtime that calls the application over HTTP, not yet started."""
    file = tmp_path / "module.yaml"
    runtime = Runtime(tmp_path, str(file))
    url = f"http+unix://{server.socket}/statefun"
    file.write_text(MODULE.format(ingress=runtime.ingress_port, egress=runtime.egress_port, url=url))
    yield runtime
    runtime.kill()


def states(runtime: Runtime) -> dict[str, dict[str, object]]:
    """The durable states of the greeters: id -> name -> value."""
    listed = statefun("state", "list", "--data", str(runtime.data), "--type", "e2e/greeter", "--json")
    assert listed.returncode == 0, listed.stderr
    found: dict[str, dict[str, object]] = {}
    for row in map(json.loads, listed.stdout.splitlines()):
        found.setdefault(row["id"], {})[row["name"]] = row["value"]
    return found


def is_idle(runtime: Runtime) -> bool:
    return bool(json.loads(get(runtime.admin_port, "/status")[1])["idle"])


def drain(runtime: Runtime) -> list[str]:
    """Everything that the egress has."""
    records: list[str] = []
    while (answer := get(runtime.egress_port, "/greetings"))[0] == 200:
        records.append(answer[1].decode())
    assert answer[0] == 404
    return records


def check(runtime: Runtime, load: Load) -> None:
    """Every acknowledged message counts once, no message twice, each sender's in its order; and so at the egress."""
    wait_until(lambda: is_idle(runtime), "the end of the work")
    records = drain(runtime)
    assert runtime.stop() == 0, runtime.command.log.read_text()
    found = states(runtime)
    assert found.keys() == {sender.id for sender in load.senders}
    for sender in load.senders:
        applied = found[sender.id]["applied"]
        assert isinstance(applied, list)
        assert found[sender.id]["seen"] == len(applied)
        assert len(sender.acknowledged) <= len(applied) <= len(sender.sent)
        assert set(sender.acknowledged) <= set(applied) <= set(sender.sent)
        assert applied == sorted(set(applied), key=int)
        assert [record.split()[1] for record in records if record.split()[0] == sender.id] == applied


def test_acknowledged_messages_count_exactly_once_whenever_the_runtime_is_killed(runtime: Runtime) -> None:
    moments = random.Random(11)
    runtime.start()
    with Load(runtime, 8) as load:
        for _ in range(8):
            load.wait_for(moments.randint(1, 120))
            runtime.kill()
            runtime.start()
        load.wait_for(50)
    check(runtime, load)


def test_the_same_holds_over_http_when_both_processes_are_killed(remote: Runtime, server: Server) -> None:
    moments = random.Random(12)
    remote.start()
    with Load(remote, 8) as load:
        for _ in range(4):
            load.wait_for(moments.randint(1, 120))
            remote.kill()
            remote.start()
            load.wait_for(moments.randint(1, 120))
            server.command.kill()
            server.start(APPLICATION)
        load.wait_for(50)
    check(remote, load)
    server.command.send(signal.SIGINT)
    assert server.command.wait() == 0


def test_a_changed_expiration_of_a_remote_function_takes_effect_while_the_runtime_runs(
    remote: Runtime, server: Server
) -> None:
    remote.start("--spec-refresh", "100 ms")
    declared = "declares states: seen (io.statefun.types/int{}), applied (e2e/Applied)"
    with Load(remote, 2) as load:
        wait_until(lambda: declared.format("") in remote.command.log.read_text(), "the first declaration")
        server.command.kill()
        server.start("tests.e2e.application:expiring")
        changed = declared.format(", expires 3600000 ms after write")
        wait_until(lambda: changed in remote.command.log.read_text(), "the changed declaration")
    check(remote, load)


def test_ctrl_c_under_load_finishes_what_was_taken(runtime: Runtime) -> None:
    runtime.start()
    with Load(runtime, 4) as load:
        load.wait_for(100)
        assert runtime.stop() == 0
    runtime.start()
    check(runtime, load)


def test_records_that_were_taken_do_not_come_again_after_a_clean_stop(runtime: Runtime) -> None:
    runtime.start()
    for text in ("one", "two"):
        sent = statefun("send", "e2e/greeter/ada", f'"{text}"', "--url", runtime.url, "--type", STRING)
        assert sent.returncode == 0, sent.stderr
    wait_until(lambda: is_idle(runtime), "the end of the work")
    assert get(runtime.egress_port, "/greetings") == (200, b"ada one")
    assert runtime.stop() == 0
    runtime.start()
    assert drain(runtime) == ["ada two"]
    assert states(runtime)["ada"]["seen"] == 2
    assert runtime.stop() == 0


def call(runtime: Runtime, name: str, marker: Path) -> None:
    """Send a message to a function that does not end, and wait until it has begun."""
    threading.Thread(
        target=statefun,
        args=(
            "send",
            f"e2e/{name}/x",
            json.dumps(str(marker)),
            "--url",
            runtime.url,
            "--type",
            STRING,
            "--timeout",
            "1",
        ),
    ).start()
    wait_until(marker.exists, f"the call of e2e/{name}")


def test_records_beyond_the_memory_of_the_egress_wait_on_disk_and_come_once_and_in_order(tmp_path: Path) -> None:
    runtime = Runtime(tmp_path, APPLICATION, "--outbox-memory", "1 kB").start()
    try:
        with Load(runtime, 4) as load:
            load.wait_for(60)
            runtime.kill()
            runtime.start()
            load.wait_for(60)
        check(runtime, load)
    finally:
        runtime.kill()


def test_a_second_ctrl_c_stops_at_once_and_keeps_the_message(runtime: Runtime, tmp_path: Path) -> None:
    runtime.start()
    call(runtime, "waiter", tmp_path / "began")
    runtime.command.send(signal.SIGINT)
    wait_until(lambda: not runtime.is_ready(), "the first Ctrl-C")
    assert runtime.command.process.poll() is None
    runtime.command.send(signal.SIGINT)
    assert runtime.command.wait() == 130
    (tmp_path / "began").unlink()
    runtime.start()
    wait_until((tmp_path / "began").exists, "the same call again")


def test_signals_end_a_process_whose_loop_is_stuck_in_a_function(runtime: Runtime, tmp_path: Path) -> None:
    runtime.start()
    call(runtime, "blocker", tmp_path / "began")

    def ended() -> bool:
        runtime.command.send(signal.SIGTERM)
        return runtime.command.process.poll() is not None

    wait_until(ended, "the end")
    assert runtime.command.wait() == 143


def test_the_servers_of_a_module_file_take_address_and_size_from_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "module.yaml"
    settings = ("--http-host", "127.0.0.2", "--max-request-bytes", "2 MB")
    runtime = Runtime(tmp_path, str(file), "--functions", APPLICATION, *settings)
    file.write_text(MODULE.format(ingress=runtime.ingress_port, egress=runtime.egress_port, url="http://127.0.0.1:1"))
    runtime.start()
    try:
        assert [put(runtime.ingress_port, "/e2e/silent/x", size) for size in (2_000_000, 2_000_001)] == [202, 413]
        assert get(runtime.egress_port, "/greetings", "127.0.0.2")[0] == 404
        for port in (runtime.ingress_port, runtime.egress_port):
            with pytest.raises(ConnectionRefusedError):
                get(port, "/greetings")
        assert runtime.stop() == 0
    finally:
        runtime.kill()


def test_messages_for_an_endpoint_where_nobody_answers_do_not_pause_the_ingresses(tmp_path: Path) -> None:
    file = tmp_path / "module.yaml"
    runtime = Runtime(tmp_path, str(file), "--functions", APPLICATION, "--high-water", "5")
    module = MODULE.replace("e2e/*", "dead/*")
    file.write_text(module.format(ingress=runtime.ingress_port, egress=runtime.egress_port, url="http://127.0.0.1:1"))
    runtime.start()
    try:
        for target in ("dead/function", "e2e/silent"):
            assert [put(runtime.ingress_port, f"/{target}/{n}", 1, "127.0.0.1") for n in range(12)] == [202] * 12
        status = json.loads(get(runtime.admin_port, "/status")[1])
        assert (status["paused"], status["functions"]["dead/function"]["backlog"]) == (None, 12)
        assert runtime.stop() == 0
    finally:
        runtime.kill()


def put(port: int, path: str, size: int, host: str = "127.0.0.2") -> int:
    """The status of a PUT with a body of `size` bytes."""
    connection = http.client.HTTPConnection(host, port, timeout=30)
    try:
        connection.request("PUT", path, b"x" * size)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_second_runtime_on_the_same_data_is_exit_code_3(runtime: Runtime) -> None:
    runtime.start()
    port = str(free_port())
    second = statefun("run", APPLICATION, "--data", str(runtime.data), "--http-port", port, "--admin", "127.0.0.1:0")
    assert second.returncode == 3
    assert f"another process owns {runtime.data}" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_port_in_use_is_one_clear_line(runtime: Runtime, tmp_path: Path) -> None:
    runtime.start()
    port = str(runtime.ingress_port)
    second = statefun(
        "run", APPLICATION, "--data", str(tmp_path / "other"), "--http-port", port, "--http-egress-port", "0",
        "--admin", "127.0.0.1:0",
    )  # fmt: skip
    assert second.returncode == 1
    assert f"port {port}" in second.stderr
    assert "Traceback" not in second.stderr
