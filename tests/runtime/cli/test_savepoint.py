"""The commands on the data directory of a stopped application; `tests/e2e/test_savepoint.py` has a live one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from statefun_runtime.cli.main import main
from statefun_runtime.interfaces import Table
from tests.runtime.store import committing
from tests.runtime.store.samples import LINEAGE, content, make_store

ROOT = str(Path(__file__).resolve().parents[3])


@pytest.fixture
def data(directory: Path) -> Path:
    return make_store(directory / "statefun-data")


def run(cli: CliRunner, *arguments: str) -> str:
    result = cli.invoke(main, ["savepoint", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_savepoint_is_created_listed_inspected_and_deleted(cli: CliRunner, data: Path) -> None:
    assert run(cli, "create", "first").startswith("first  epoch 7  created 20")
    assert run(cli, "list").startswith("first  epoch 7  created 20")
    inspected = run(cli, "inspect", "first").splitlines()
    assert f"lineage {LINEAGE}, made by statefun" in inspected[1]
    assert {line.strip() for line in inspected[2:]} >= {
        "2  addresses with state",
        "3  messages",
        "1  delayed messages",
        "1  parked addresses",
        "2  dead letters",
        "2  ingress positions",
        "1  epochs in the outbox",
    }
    assert run(cli, "delete", "first", "--yes") == f"{data}/savepoints/first is deleted\n".replace(
        f"{data.parent}/", ""
    )
    assert cli.invoke(main, ["savepoint", "list"]).stderr == "there are no savepoints\n"


def test_without_a_name_it_is_called_after_the_time(cli: CliRunner, data: Path) -> None:
    made = json.loads(run(cli, "create", "--json"))
    assert made["name"] == json.loads(run(cli, "list", "--json"))["name"]
    assert made["name"][:8] == made["created_at"][:10].replace("-", "")


def test_as_json_there_are_all_parts(cli: CliRunner, data: Path) -> None:
    run(cli, "create", "first")
    [listed] = map(json.loads, run(cli, "list", "--json").splitlines())
    inspected = json.loads(run(cli, "inspect", "first", "--json"))
    rows = inspected.pop("rows")
    assert listed == inspected
    assert (listed["name"], listed["epoch"], listed["lineage"]) == ("first", 7, LINEAGE)
    assert (rows["state"], rows["mailbox"]) == (2, 3)


def test_it_is_restored_to_another_directory(cli: CliRunner, data: Path) -> None:
    run(cli, "create", "first")
    told = run(cli, "restore", "first", "--data", "restored")
    assert told == "restored holds epoch 7 of first; run on it with --data restored\n"
    assert content(Path("restored"))[Table.STATE] == content(data)[Table.STATE]


def test_it_is_restored_from_another_data_directory_and_by_its_path(cli: CliRunner, data: Path) -> None:
    run(cli, "create", "first")
    moved = data.rename("moved")
    run(cli, "restore", "first", "--from", "moved", "--data", "one", "--egress-files", "cut")
    run(cli, "restore", "moved/savepoints/first", "--data", "two", "--egress-files", "new")
    assert len(content(Path("one"))[Table.SINKS]) == 1
    assert content(Path("two"))[Table.SINKS] == []
    assert content(moved)[Table.SINKS] == content(moved / "savepoints" / "first" / "data")[Table.SINKS]


def test_nothing_is_deleted_without_a_yes(cli: CliRunner, data: Path) -> None:
    run(cli, "create", "first")
    result = cli.invoke(main, ["savepoint", "delete", "first"], input="n\n")
    assert result.exit_code == 1
    assert "Delete the savepoint statefun-data/savepoints/first?" in result.output
    assert run(cli, "list")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["inspect", "missing"], "is no savepoint"),
        (["restore", "missing", "--data", "restored"], "is no savepoint"),
        (["delete", "missing", "--yes"], "is no savepoint"),
        (["create", "--data", "nowhere"], "nowhere is not a data directory"),
        (["create", "a/b"], "is no name for a savepoint"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(cli: CliRunner, data: Path, arguments: list[str], message: str) -> None:
    result = cli.invoke(main, ["savepoint", *arguments])
    assert result.exit_code == 1
    assert message in result.output
    assert not Path("nowhere").exists()
    assert not Path("restored").exists()


def test_an_owner_that_does_not_say_how_to_reach_it_is_exit_code_3(cli: CliRunner, directory: Path) -> None:
    command = [sys.executable, committing.__file__, "statefun-data"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": ROOT}) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        result = cli.invoke(main, ["savepoint", "create"])
        owner.kill()
    assert result.exit_code == 3
    assert "another process owns statefun-data" in result.output


def test_everything_is_exported_and_imported(cli: CliRunner, data: Path) -> None:
    assert run(cli, "export", "shop.jsonl") == "shop.jsonl has 17 lines\n"
    assert list((data / "savepoints").iterdir()) == []
    assert Path("shop.jsonl").stat().st_mode & 0o077 == 0
    told = run(cli, "import", "shop.jsonl", "--data", "imported")
    assert told == "imported holds epoch 7 of shop.jsonl; run on it with --data imported\n"
    assert content(Path("imported"))[Table.STATE] == content(data)[Table.STATE]
    assert len(content(Path("imported"))[Table.SINKS]) == 1
    run(cli, "import", "shop.jsonl", "--data", "new", "--egress-files", "new")
    assert content(Path("new"))[Table.SINKS] == []


def test_a_savepoint_is_exported_and_stays(cli: CliRunner, data: Path) -> None:
    run(cli, "create", "first")
    run(cli, "export", "shop.jsonl", "--savepoint", "first")
    run(cli, "export", "again.jsonl", "--savepoint", "statefun-data/savepoints/first")
    assert Path("shop.jsonl").read_bytes() == Path("again.jsonl").read_bytes()
    assert run(cli, "list")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "mine.txt"], "mine.txt exists already"),
        (["export", "nowhere/shop.jsonl"], "nowhere/shop.jsonl cannot be written: No such file"),
        (["export", "shop.jsonl", "--savepoint", "missing"], "is no savepoint"),
        (["import", "missing.jsonl", "--data", "restored"], "missing.jsonl cannot be read: No such file"),
        (["import", "mine.txt", "--data", "restored"], "mine.txt:1: is not JSON"),
    ],
)
def test_what_cannot_be_exported_or_imported_leaves_nothing(
    cli: CliRunner, data: Path, arguments: list[str], message: str
) -> None:
    Path("mine.txt").write_text("mine")
    result = cli.invoke(main, ["savepoint", *arguments])
    assert result.exit_code == 1
    assert message in result.output
    assert sorted(entry.name for entry in Path().iterdir()) == ["mine.txt", "statefun-data"]
    assert not list((data / "savepoints").glob("*"))
