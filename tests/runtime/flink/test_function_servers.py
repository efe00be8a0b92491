import http.client
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from statefun_runtime.flink.function_servers import FunctionServers
from tests.e2e.command import wait_until

pytestmark = pytest.mark.slow

APPLICATION = """\
from statefun import StatefulFunctions

functions = StatefulFunctions()
"""


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FunctionServers]:
    (tmp_path / "app.py").write_text(APPLICATION)
    monkeypatch.chdir(tmp_path)
    running = FunctionServers("app:functions", 2)
    yield running
    running.stop()


def test_several_processes_answer_at_one_address(servers: FunctionServers) -> None:
    for _ in range(10):
        connection = http.client.HTTPConnection(urlsplit(servers.url).netloc, timeout=30)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()
    assert servers.ended() is None


def test_a_process_that_ends_is_noticed(servers: FunctionServers) -> None:
    servers._processes[1].send_signal(signal.SIGKILL)
    wait_until(lambda: servers.ended() == -signal.SIGKILL, "the end of the process")
