"""An operator at work beside a running application, and after it was killed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Runtime, statefun, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    runtime = Runtime(tmp_path, "tests.e2e.application:functions")
    yield runtime
    runtime.kill()


def send(runtime: Runtime, identifier: str, text: str) -> None:
    options = ("--type", "io.statefun.types/string", "--url", runtime.url)
    sent = statefun("send", f"e2e/picky/{identifier}", json.dumps(text), *options)
    assert sent.returncode == 0, sent.stderr


def operator(runtime: Runtime, *arguments: str) -> str:
    """What a command prints about the data directory of the runtime."""
    done = statefun(*arguments, "--data", str(runtime.data))
    assert done.returncode == 0, done.stderr
    return done.stdout


def applied(runtime: Runtime, identifier: str) -> list[str]:
    rows = [json.loads(line) for line in operator(runtime, "state", "list", "--json").splitlines()]
    return next((row["value"] for row in rows if row["id"] == identifier), [])


def park(runtime: Runtime, identifier: str, missing: str) -> None:
    send(runtime, identifier, missing)
    wait_until(lambda: identifier in operator(runtime, "parked", "list"), "parking")


def test_operations_on_a_running_application_survive_a_kill_at_once(runtime: Runtime, tmp_path: Path) -> None:
    runtime.start()
    missing = str(tmp_path / "missing")
    for identifier in ("a", "b"):
        park(runtime, identifier, missing)
        send(runtime, identifier, "next")
    assert operator(runtime, "parked", "skip", "e2e/picky/a", "--yes").startswith("e2e/picky/a  1 message")
    (tmp_path / "missing").touch()
    operator(runtime, "parked", "resume", "e2e/picky/b")
    runtime.kill()
    assert operator(runtime, "parked", "list") == ""
    runtime.start()
    wait_until(lambda: applied(runtime, "a") == ["next"], "the message behind the skipped one")
    wait_until(lambda: applied(runtime, "b") == [missing, "next"], "the messages of the resumed address")
    assert runtime.stop() == 0


def test_operations_on_a_stopped_application_hold_when_it_runs_again(runtime: Runtime, tmp_path: Path) -> None:
    runtime.start()
    park(runtime, "a", str(tmp_path / "missing"))
    send(runtime, "a", "next")
    runtime.kill()
    assert operator(runtime, "parked", "skip", "e2e/picky/a", "--yes").startswith("e2e/picky/a  1 message")
    runtime.start()
    wait_until(lambda: applied(runtime, "a") == ["next"], "the message behind the skipped one")
    assert runtime.stop() == 0


def test_the_policy_of_the_config_file_holds_and_a_dead_letter_can_be_sent_again(tmp_path: Path) -> None:
    config = tmp_path / "statefun.toml"
    config.write_text('[functions."e2e/*"]\non_failure = "dead-letter"\n')
    runtime = Runtime(tmp_path, "tests.e2e.application:functions", "--config", str(config))
    try:
        runtime.start()
        missing = tmp_path / "missing"
        for text in ("1", str(missing), "2"):
            send(runtime, "a", text)
        wait_until(lambda: applied(runtime, "a") == ["1", "2"], "the messages around the one that fails")
        [letter] = map(json.loads, operator(runtime, "dead-letters", "list", "--json").splitlines())
        assert letter["message"]["value"] == str(missing)
        assert "is not there" in letter["reason"]
        missing.touch()
        operator(runtime, "dead-letters", "resend", "--all")
        wait_until(lambda: applied(runtime, "a") == ["1", "2", str(missing)], "the message that was sent again")
        assert operator(runtime, "dead-letters", "list") == ""
        assert runtime.stop() == 0
        assert f"dead letter {letter['number']} for e2e/picky" in runtime.command.log.read_text()
    finally:
        runtime.kill()
