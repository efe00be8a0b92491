"""`statefun run --workers` and `--reload`: functions in processes that die, and in files that change."""

import json
import os
import random
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Runtime, get, statefun, wait_until
from tests.e2e.senders import Load
from tests.e2e.test_run import check

pytestmark = pytest.mark.slow
APPLICATION = "tests.e2e.application:functions"
COUNTER = """\
from statefun import Context, IntType, Message, StatefulFunctions, ValueSpec

functions = StatefulFunctions()


@functions.bind("live/counter", specs=[ValueSpec("count", IntType)])
async def counter(context: Context, message: Message) -> None:
    context.storage.count = (context.storage.count or 0) + {step}
"""
LATER = """

@functions.bind("live/later", specs=[ValueSpec("seen", IntType)])
def later(context: Context, message: Message) -> None:
    context.storage.seen = 1
"""


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    """A runtime of the application, not yet started."""
    runtime = Runtime(tmp_path, APPLICATION)
    yield runtime
    runtime.kill()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with an application that changes."""
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "live.py").write_text(COUNTER.format(step=1))
    return directory


@pytest.fixture
def live(tmp_path: Path, project: Path) -> Iterator[Runtime]:
    """A runtime that follows its changes."""
    runtime = Runtime(tmp_path, "live:functions", cwd=project).start("--reload")
    yield runtime
    runtime.kill()


def log(runtime: Runtime) -> str:
    return runtime.command.log.read_text()


def told(runtime: Runtime, text: str, times: int = 1) -> None:
    wait_until(lambda: log(runtime).count(text) >= times, f"{text!r} in the log")


def workers(runtime: Runtime) -> list[int]:
    """The processes of all workers so far."""
    return [int(number) for number in re.findall(r"the worker (\d+) serves", log(runtime))]


def is_gone(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def send(runtime: Runtime, target: str, value: str = "hi") -> None:
    sent = statefun("send", target, json.dumps(value), "--type", "io.statefun.types/string", "--url", runtime.url)
    assert sent.returncode == 0, sent.stderr


def count(runtime: Runtime, name: str) -> str:
    shown = statefun("state", "list", "--data", str(runtime.data), "--type", f"live/{name}")
    assert shown.returncode == 0, shown.stderr
    return shown.stdout


def test_messages_count_exactly_once_whatever_workers_are_killed(runtime: Runtime) -> None:
    moments = random.Random(13)
    runtime.start("--workers", "2")
    with Load(runtime, 8) as load:
        for killed in range(6):
            load.wait_for(moments.randint(1, 120))
            os.kill(workers(runtime)[-1], signal.SIGKILL)
            told(runtime, "was ended by SIGKILL", killed + 1)
            told(runtime, "serves", 3 + killed)
        load.wait_for(50)
    check(runtime, load)
    wait_until(lambda: all(map(is_gone, workers(runtime))), "the end of all workers")


def test_a_function_that_ends_its_worker_is_called_again_and_the_engine_goes_on(
    runtime: Runtime, tmp_path: Path
) -> None:
    runtime.start("--workers", "1")
    send(runtime, "e2e/deadly/a", str(tmp_path / "died"))
    told(runtime, "ended with exit code 3; it is started again")
    listed = ("state", "list", "--data", str(runtime.data), "--type", "e2e/deadly")
    wait_until(lambda: "1" in statefun(*listed).stdout, "the message's effect")
    assert get(runtime.admin_port, "/healthz")[0] == 200


def test_workers_end_when_their_runtime_is_killed_though_a_function_keeps_them(
    runtime: Runtime, tmp_path: Path
) -> None:
    runtime.start("--workers", "2")
    send(runtime, "e2e/blocker/a", str(tmp_path / "began"))
    wait_until((tmp_path / "began").exists, "the call")
    assert not any(map(is_gone, workers(runtime)))
    runtime.kill()
    wait_until(lambda: all(map(is_gone, workers(runtime))), "the end of all workers")


def test_a_worker_that_cannot_import_the_functions_ends_the_start_with_the_reason(
    tmp_path: Path, project: Path
) -> None:
    (project / "live.py").write_text("import missing_library\n")
    runtime = Runtime(tmp_path, "live:functions", cwd=project)
    runtime.launch("--workers", "2")
    assert runtime.command.wait() == 1
    assert "live cannot be imported, its code fails" in log(runtime)
    assert "No module named 'missing_library'" in log(runtime)
    assert "statefun_runtime" not in log(runtime), "the traceback is that of the user's own code"


def test_a_changed_file_changes_what_functions_do_and_keeps_their_state(live: Runtime, project: Path) -> None:
    send(live, "live/counter/a")
    wait_until(lambda: "1" in count(live, "counter"), "the first effect")
    (project / "live.py").write_text(COUNTER.format(step=10))
    told(live, "the functions are reloaded")
    send(live, "live/counter/a")
    wait_until(lambda: "11" in count(live, "counter"), "the effect of the changed function")


def test_a_message_for_a_function_that_was_forgotten_is_delivered_when_it_is_written(
    live: Runtime, project: Path
) -> None:
    send(live, "live/later/a")
    told(live, "live/later/a is parked")
    (project / "live.py").write_text(COUNTER.format(step=1) + LATER)
    wait_until(lambda: "1" in count(live, "later"), "the effect of the new function")


def test_a_file_with_a_mistake_is_told_and_what_ran_before_goes_on(live: Runtime, project: Path) -> None:
    (project / "live.py").write_text(COUNTER.format(step="("))
    told(live, "the functions are not reloaded: live cannot be imported")
    send(live, "live/counter/a")
    wait_until(lambda: "1" in count(live, "counter"), "the effect of the old function")
