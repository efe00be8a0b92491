"""Savepoints of a real process under load: made while messages flow, restored elsewhere after a kill."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Runtime, get, statefun, wait_until
from tests.e2e.senders import Load, Sender

pytestmark = pytest.mark.slow
APPLICATION = "tests.e2e.application:functions"


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    runtime = Runtime(tmp_path, APPLICATION)
    yield runtime
    runtime.kill()


@pytest.fixture
def restored(tmp_path: Path) -> Iterator[Runtime]:
    """A runtime on a data directory that a test has yet to restore."""
    (tmp_path / "other").mkdir()
    runtime = Runtime(tmp_path / "other", APPLICATION)
    yield runtime
    runtime.kill()


def savepoint(*arguments: str) -> str:
    done = statefun("savepoint", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def status(runtime: Runtime) -> dict[str, object]:
    answer: dict[str, object] = json.loads(get(runtime.admin_port, "/status")[1])
    return answer


def invocations(runtime: Runtime, typename: str) -> int:
    functions = status(runtime)["functions"]
    assert isinstance(functions, dict)
    return int(functions[typename]["invocations"])


def applied(data: Path) -> dict[str, list[str]]:
    """By sender, what its greeter has applied."""
    listed = statefun("state", "list", "--data", str(data), "--type", "e2e/greeter", "--json")
    assert listed.returncode == 0, listed.stderr
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    seen = {row["id"]: row["value"] for row in rows if row["name"] == "seen"}
    found: dict[str, list[str]] = {row["id"]: row["value"] for row in rows if row["name"] == "applied"}
    assert {id_: len(texts) for id_, texts in found.items()} == seen
    return found


def check_prefix(texts: list[str], sender: Sender, acknowledged_before: int) -> None:
    """The first messages of a sender, each once and in order, with all that were acknowledged before."""
    assert texts == sorted(set(texts), key=int)
    assert set(texts) <= set(sender.sent)
    assert texts[-1:] == [] or int(texts[-1]) + 1 <= len(sender.sent)
    assert set(sender.acknowledged[:acknowledged_before]) <= set(texts)


def test_a_savepoint_under_load_holds_a_prefix_of_the_traffic_and_all_that_was_acknowledged_before(
    runtime: Runtime, restored: Runtime
) -> None:
    runtime.start()
    with Load(runtime, 6) as load:
        load.wait_for(200)
        before = [len(sender.acknowledged) for sender in load.senders]
        savepoint("create", "first", "--data", str(runtime.data))
        load.wait_for(200)
        savepoint("create", "second", "--data", str(runtime.data))
        load.wait_for(50)
        runtime.kill()
    savepoint("restore", "first", "--from", str(runtime.data), "--data", str(restored.data))
    restored.start()
    wait_until(lambda: bool(status(restored)["idle"]), "the end of the work")
    lineage = status(restored)["lineage"]
    assert restored.stop() == 0, restored.command.log.read_text()
    found = applied(restored.data)
    for sender, count in zip(load.senders, before, strict=True):
        check_prefix(found[sender.id], sender, count)
        assert len(found[sender.id]) < len(sender.sent), "it holds what came after the savepoint"
    runtime.start()
    assert status(runtime)["lineage"] != lineage
    assert runtime.stop() == 0
    for id_, texts in applied(runtime.data).items():
        assert texts[: len(found[id_])] == found[id_]


def test_messages_go_on_being_acknowledged_while_savepoints_are_made(runtime: Runtime) -> None:
    runtime.start()
    with Load(runtime, 4) as load:
        load.wait_for(50)
        making = threading.Thread(
            target=lambda: [savepoint("create", f"s{n}", "--data", str(runtime.data)) for n in range(3)]
        )
        making.start()
        while making.is_alive():
            load.wait_for(10)
        making.join()
    assert runtime.stop() == 0
    listed = savepoint("list", "--data", str(runtime.data)).splitlines()
    assert [line.split()[0] for line in listed] == ["s0", "s1", "s2"]
    epochs = [int(line.split()[2]) for line in listed]
    assert epochs == sorted(set(epochs))


def test_a_kill_while_a_savepoint_is_made_leaves_it_whole_or_not_there(runtime: Runtime) -> None:
    runtime.start()
    with Load(runtime, 4) as load:
        load.wait_for(100)
        making = [
            threading.Thread(target=statefun, args=("savepoint", "create", f"s{n}", "--data", str(runtime.data)))
            for n in range(4)
        ]
        for thread in making:
            thread.start()
        unfinished = runtime.data / "savepoints"
        wait_until(lambda: unfinished.exists() and bool(list(unfinished.iterdir())), "the beginning of a savepoint")
        runtime.kill()
        for thread in making:
            thread.join()
    for line in savepoint("list", "--data", str(runtime.data)).splitlines():
        savepoint("inspect", line.split()[0], "--data", str(runtime.data))
    savepoint("create", "after", "--data", str(runtime.data))
    assert not list(unfinished.glob(".*"))


MODULE = """\
kind: io.statefun.file.v1/ingress
spec: {{id: e2e/in, path: {source}, format: json-lines, key: id, targets: [e2e/greeter]}}
---
kind: io.statefun.file.v1/egress
spec: {{id: io.statefun.playground/egress, path: {sink}}}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A module that reads a file and writes another."""
    (tmp_path / "in.jsonl").write_text("".join(f'{{"id": "{n % 5}", "n": {n}}}\n' for n in range(100)))
    module = tmp_path / "module.yaml"
    module.write_text(MODULE.format(source=tmp_path / "in.jsonl", sink=tmp_path / "out"))
    return module


def finish(runtime: Runtime) -> None:
    runtime.start()
    wait_until(lambda: bool(status(runtime)["idle"]) and not status(runtime)["outbox_epochs"], "the end of the work")
    assert runtime.stop() == 0, runtime.command.log.read_text()


def test_an_egress_file_that_has_grown_since_is_refused_cut_or_begun_anew(files: Path, tmp_path: Path) -> None:
    source, sink = tmp_path / "in.jsonl", tmp_path / "out"
    old = Runtime(tmp_path, str(files), "--functions", APPLICATION)
    finish(old)
    first = sink.read_text()
    savepoint("create", "first", "--data", str(old.data))
    with source.open("a") as file:
        file.write('{"id": "0", "n": 100}\n')
    finish(old)
    whole = sink.read_text()
    assert whole.startswith(first)
    assert whole != first

    def restore(choice: str) -> Runtime:
        (tmp_path / choice).mkdir()
        new = Runtime(tmp_path / choice, str(files), "--functions", APPLICATION)
        arguments = ("--from", str(old.data), "--data", str(new.data), "--egress-files", choice)
        savepoint("restore", "first", *arguments)
        return new

    refused = restore("check")
    refused.launch()
    assert refused.command.wait() == 1
    assert "more than at the savepoint. Restore again, with --egress-files=cut" in refused.command.log.read_text()
    assert sink.read_text() == whole
    finish(restore("cut"))
    assert sink.read_text() == whole, "what was cut was written again, once"
    sink.rename(tmp_path / "kept")
    finish(restore("new"))
    assert first + sink.read_text() == whole


def test_an_export_under_load_is_imported_and_run(runtime: Runtime, restored: Runtime, tmp_path: Path) -> None:
    runtime.start()
    with Load(runtime, 4) as load:
        load.wait_for(100)
        before = [len(sender.acknowledged) for sender in load.senders]
        file = str(tmp_path / "shop.jsonl")
        savepoint("export", file, "--data", str(runtime.data))
        load.wait_for(50)
        runtime.kill()
    savepoint("import", file, "--data", str(restored.data))
    restored.start()
    wait_until(lambda: bool(status(restored)["idle"]), "the end of the work")
    assert restored.stop() == 0, restored.command.log.read_text()
    found = applied(restored.data)
    for sender, count in zip(load.senders, before, strict=True):
        check_prefix(found[sender.id], sender, count)


def send(runtime: Runtime, address: str, value: object, type_: str) -> None:
    sent = statefun("send", address, json.dumps(value), "--type", f"io.statefun.types/{type_}", "--url", runtime.url)
    assert sent.returncode == 0, sent.stderr


def test_messages_and_timers_go_on_after_an_import(runtime: Runtime, restored: Runtime, tmp_path: Path) -> None:
    runtime.start()
    for _ in range(3):
        send(runtime, "e2e/gate/a", str(tmp_path / "open"), "string")
    send(runtime, "e2e/broken/x", 1, "int")
    send(runtime, "e2e/chain/b", 0, "int")
    wait_until(lambda: (status(runtime)["delayed"], status(runtime)["parked"]) == (1, 1), "the delayed message of b")
    file = tmp_path / "shop.jsonl"
    savepoint("export", str(file), "--data", str(runtime.data))
    runtime.kill()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    kinds = [line["kind"] for line in lines]
    assert [kinds.count(kind) for kind in ("message", "delayed", "parked")] == [4, 1, 1]
    due_now = [line | {"due": 0} if line["kind"] == "delayed" else line for line in lines]
    file.write_text("".join(json.dumps(line) + "\n" for line in due_now))
    savepoint("import", str(file), "--data", str(restored.data))
    (tmp_path / "open").touch()
    restored.start()
    wait_until(lambda: invocations(restored, "e2e/chain") == 1, "the message that was due")
    drained = statefun("drain", "--data", str(restored.data), "--json")
    assert drained.returncode == 0, drained.stderr
    outcome = json.loads(drained.stdout)
    assert (outcome["parked_messages"], outcome["delayed"]) == (1, 1)
    assert outcome["first_delayed"][0]["sender"] == "e2e/chain/later"
    states = statefun("state", "list", "--data", str(restored.data), "--json").stdout
    seen = {row["id"]: row["value"] for row in map(json.loads, states.splitlines())}
    assert seen == {"a": 3, "b": 1, "later": 1}
