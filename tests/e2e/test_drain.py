"""Draining and stopping real processes."""

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Runtime, get, statefun, wait_until

pytestmark = pytest.mark.slow
APPLICATION = "tests.e2e.application:functions"
INT = "io.statefun.types/int"
STRING = "io.statefun.types/string"


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    runtime = Runtime(tmp_path, APPLICATION, "--stop-timeout", "300 ms")
    yield runtime
    runtime.kill()


def send(runtime: Runtime, address: str, value: object, type_: str = INT) -> None:
    sent = statefun("send", address, json.dumps(value), "--type", type_, "--url", runtime.url)
    assert sent.returncode == 0, sent.stderr


def seen(runtime: Runtime, address: str) -> int:
    shown = statefun("state", "show", address, "--data", str(runtime.data), "--json")
    value: int = json.loads(shown.stdout)["value"]
    return value


def status(runtime: Runtime) -> dict[str, object]:
    answer: dict[str, object] = json.loads(get(runtime.admin_port, "/status")[1])
    return answer


def test_a_drained_application_has_done_all_its_work_and_says_what_is_delayed(runtime: Runtime) -> None:
    runtime.start()
    send(runtime, "e2e/chain/a", 100)
    drained = statefun("drain", "--data", str(runtime.data), "--json")
    assert drained.returncode == 0, drained.stderr
    outcome = json.loads(drained.stdout)
    assert outcome["first_delayed"][0].pop("due")
    assert outcome.pop("epoch") > 0
    assert outcome == {
        "parked_messages": 0,
        "stopped": True,
        "delayed": 1,
        "first_delayed": [{"target": "e2e/chain/later", "sender": "e2e/chain/a", "token": "tomorrow"}],
    }
    assert runtime.command.wait() == 0
    assert seen(runtime, "e2e/chain/a") == 101


def test_while_it_drains_no_message_is_taken_and_it_can_be_left_running(runtime: Runtime) -> None:
    runtime.start()
    send(runtime, "e2e/chain/a", 1)
    drained = statefun("drain", "--data", str(runtime.data), "--keep-running")
    assert drained.returncode == 0, drained.stderr
    assert "running without ingresses" in drained.stdout
    assert "1 delayed messages\n" in drained.stdout
    assert statefun("send", "e2e/chain/a", "1", "--type", INT, "--url", runtime.url).returncode == 4
    status, body = get(runtime.admin_port, "/readyz")
    assert (status, json.loads(body)["reason"]) == (503, "draining")
    again = statefun("drain", "--data", str(runtime.data))
    assert again.returncode == 0, again.stderr
    assert runtime.command.wait() == 0


def test_messages_of_a_parked_address_do_not_keep_it_from_being_drained(runtime: Runtime) -> None:
    runtime.start()
    for _ in range(3):
        send(runtime, "e2e/broken/x", 1)
    drained = statefun("drain", "--data", str(runtime.data))
    assert drained.returncode == 0, drained.stderr
    assert "3 messages wait at parked addresses" in drained.stdout


def test_what_cannot_be_drained_in_time_is_named_and_goes_on(runtime: Runtime, tmp_path: Path) -> None:
    runtime.start()
    send(runtime, "e2e/waiter/x", str(tmp_path / "began"), STRING)
    drained = statefun("drain", "--data", str(runtime.data), "--timeout", "0.5")
    assert drained.returncode == 1
    assert drained.stderr.startswith("1 messages left\n")
    assert "not drained within 0.5 s: 1 messages left, most of them for e2e/waiter" in drained.stderr
    assert runtime.command.process.poll() is None


def test_a_directory_that_nobody_runs_on_is_exit_code_4(runtime: Runtime) -> None:
    runtime.start()
    assert runtime.stop() == 0
    drained = statefun("drain", "--data", str(runtime.data))
    assert drained.returncode == 4
    assert "no runtime runs on" in drained.stderr
    runtime.start()
    runtime.kill()
    assert statefun("drain", "--data", str(runtime.data)).returncode == 4


# -------------------------------------------------------------------------------------------------------------- SIGTERM


def test_sigterm_abandons_a_call_that_hangs_commits_the_rest_and_is_exit_code_0(
    runtime: Runtime, tmp_path: Path
) -> None:
    runtime.start()
    send(runtime, "e2e/waiter/x", str(tmp_path / "began"), STRING)
    wait_until((tmp_path / "began").exists, "the call that hangs")
    send(runtime, "e2e/chain/a", 0)
    runtime.command.send(signal.SIGTERM)
    assert runtime.command.wait() == 0
    assert "calls are still under way; they are abandoned" in runtime.command.log.read_text()
    assert seen(runtime, "e2e/chain/a") == 1
    (tmp_path / "began").unlink()
    runtime.start()
    wait_until((tmp_path / "began").exists, "the same call again")


def test_sigterm_ends_a_process_whose_loop_a_function_keeps_and_what_was_acknowledged_stays(
    runtime: Runtime, tmp_path: Path
) -> None:
    runtime.start()
    send(runtime, "e2e/chain/a", 0)
    wait_until(lambda: status(runtime)["idle"] is True, "the end of the work")
    marker = json.dumps(str(tmp_path / "began"))
    arguments = ("e2e/blocker/x", marker, "--type", STRING, "--url", runtime.url, "--timeout", "1")
    sending = threading.Thread(target=statefun, args=("send", *arguments))
    sending.start()
    wait_until((tmp_path / "began").exists, "the call that keeps the loop")
    runtime.command.send(signal.SIGTERM)
    assert runtime.command.wait() == 143
    sending.join()
    assert seen(runtime, "e2e/chain/a") == 1
