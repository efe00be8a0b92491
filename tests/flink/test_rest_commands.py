"""`statefun flink status`, `savepoint` and `stop` against a real Flink."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from statefun_runtime.cli.main import main
from tests.flink.local import SECONDS, FlinkLocal

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(900)]

MODULE = "kind: io.statefun.playground.v1/ingress\nspec: {port: 0}\n"
APP = """\
from statefun import StatefulFunctions
functions = StatefulFunctions()
@functions.bind("shop/cart")
def cart(context, message):
    pass
"""


@pytest.fixture
def flink(tmp_path: Path) -> Iterator[FlinkLocal]:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "module.yaml").write_text(MODULE)
    running = FlinkLocal(tmp_path, tmp_path / "module.yaml", "app:functions", cwd=tmp_path)
    try:
        yield running.start()
    finally:
        running.kill()


def ask(flink: FlinkLocal, command: str, *options: str) -> Any:
    url = f"http://127.0.0.1:{flink.port}"
    result = CliRunner().invoke(main, ["flink", command, "--url", url, "--json", *options])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_job_is_looked_at_copied_and_ended_from_outside(flink: FlinkLocal, tmp_path: Path) -> None:
    (before,) = ask(flink, "status")
    assert (before["state"], before["savepoint"], before["failure"]) == ("RUNNING", None, None)
    assert before["tasks"] == before["running"] > 0

    made = ask(flink, "savepoint", "--directory", (tmp_path / "copies").as_uri())
    assert made["job"] == before["id"]
    assert Path(made["savepoint"].removeprefix("file:"), "_metadata").is_file()
    # Flink answers from what it looked up within the last 3 seconds.
    flink.wait_until(lambda: ask(flink, "status")[0]["savepoint"] is not None, "the savepoint in the status")
    (between,) = ask(flink, "status")
    assert between["savepoint"]["path"] == made["savepoint"]
    assert between["state"] == "RUNNING"

    # Everything of this Flink ends with its job, maybe before it is asked for the place.
    stopped = ask(flink, "stop")
    (place,) = (file.parent for file in flink.home.rglob("savepoint-*/_metadata"))
    assert stopped == {"job": before["id"], "savepoint": f"file:{place}"}
    # Whoever started it learns that it was stopped in order, and how to go on.
    assert flink.command.process.wait(SECONDS) == 0
    assert f"the job was stopped from elsewhere. To go on from its last savepoint here: --from-savepoint {place}" in (
        flink.said
    )
