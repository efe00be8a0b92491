"""`statefun run` on a disk that fails: an application whose state and whose file of records tell what was applied."""

import json
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.command import Runtime, get, statefun, wait_until
from tests.e2e.senders import Sender

MODULE = """\
kind: io.statefun.playground.v1/ingress
spec: {{port: {port}}}
---
kind: io.statefun.file.v1/egress
spec: {{id: io.statefun.playground/egress, path: {records}}}
"""
"""The application of the end-to-end tests with its records in a file."""
Applied = Mapping[str, list[str]]
"""By sender, the texts in the order in which they were applied."""


def make_runtime(directory: Path, disk: Path, records: Path) -> Runtime:
    """A runtime whose data directory is on `disk`, not yet started; module file and log are in `directory`."""
    file = directory / "module.yaml"
    runtime = Runtime(directory, str(file), "--functions", "tests.e2e.application:functions")
    runtime.data = disk / "data"
    file.write_text(MODULE.format(port=runtime.ingress_port, records=records))
    return runtime


def finish(runtime: Runtime) -> None:
    """Let it do what there is to do, then stop it."""
    wait_until(lambda: bool(json.loads(get(runtime.admin_port, "/status")[1])["idle"]), "the end of the work")
    assert runtime.stop() == 0, runtime.command.log.read_text()


def read_states(runtime: Runtime) -> Applied:
    """What is durable."""
    listed = statefun("state", "list", "--data", str(runtime.data), "--type", "e2e/greeter", "--json")
    assert listed.returncode == 0, listed.stderr
    rows = map(json.loads, listed.stdout.splitlines())
    return {row["id"]: row["value"] for row in rows if row["name"] == "applied"}


def parse_records(content: bytes) -> Applied:
    """What was released: every whole line."""
    found: dict[str, list[str]] = {}
    for line in content[: content.rfind(b"\n") + 1].splitlines():
        sender, text = json.loads(line)["payload"].split()
        found.setdefault(sender, []).append(text)
    return found


def check(applied: Applied, senders: list[Sender], acknowledged: Applied, what: str) -> None:
    """Everything acknowledged was applied, nothing twice, nothing that was not sent, each sender's in its order."""
    for sender in senders:
        found = applied.get(sender.id, [])
        missing = set(acknowledged.get(sender.id, [])) - set(found)
        assert not missing, f"{what}: {sender.id} was told of {sorted(missing, key=int)}, which are lost"
        assert found == sorted(set(found), key=int), what
        assert set(found) <= set(sender.sent), what
