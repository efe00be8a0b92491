"""`statefun mailbox`, `statefun delayed` and `statefun journal`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from statefun_runtime.cli.main import main
from statefun_runtime.store.rocksdb import RocksDBStore

from . import parked_data

STRING = "io.statefun.types/string"


@pytest.fixture
def data(directory: Path) -> Path:
    """A stopped data directory, where the settings expect it."""
    return parked_data.write(directory / "statefun-data")


def test_a_mailbox_is_listed_in_the_order_of_delivery(cli: CliRunner, data: Path) -> None:
    assert cli.invoke(main, ["mailbox", "shop/cart/eve"]).output.splitlines() == [
        f'1  from an ingress  {STRING}  "poison"',
        f'2  from shop/cart/ada  {STRING}  "fine"',
    ]


def test_a_mailbox_as_json_has_a_line_for_each_message(cli: CliRunner, data: Path) -> None:
    listed = cli.invoke(main, ["mailbox", "shop/cart/eve", "--json"]).output.splitlines()
    assert [json.loads(line) for line in listed] == [
        {"sequence": 1, "caller": None, "message": {"typename": STRING, "value": "poison"}},
        {
            "sequence": 2,
            "caller": {"type": "shop/cart", "id": "ada"},
            "message": {"typename": STRING, "value": "fine"},
        },
    ]


def test_an_address_whose_id_only_begins_so_is_another_one(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["mailbox", "shop/cart/e"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no message waits\n")


def test_delayed_messages_are_listed_in_due_order(cli: CliRunner, data: Path) -> None:
    assert cli.invoke(main, ["delayed", "list"]).output.splitlines() == [
        f'2023-11-14T22:13:21.000+00:00  to shop/cart/ada  from shop/stock/bob  token reminder  {STRING}  "at 1000"',
        f'2023-11-14T22:13:22.000+00:00  to shop/cart/ada  from shop/stock/bob  {STRING}  "at 2000"',
    ]


def test_delayed_messages_are_chosen_by_target(cli: CliRunner, data: Path) -> None:
    def listed(*options: str) -> list[str]:
        return cli.invoke(main, ["delayed", "list", *options]).output.splitlines()

    assert len(listed("--type", "shop/cart", "--id-prefix", "a")) == 2
    assert listed("--type", "shop/cart", "--id-prefix", "b") == ["no message is delayed"]
    assert listed("--type", "shop/stock") == ["no message is delayed"]


def test_delayed_messages_as_json_have_all_their_parts(cli: CliRunner, data: Path) -> None:
    first, second = map(json.loads, cli.invoke(main, ["delayed", "list", "--json"]).output.splitlines())
    assert first == {
        "due": "2023-11-14T22:13:21.000+00:00",
        "sequence": 1000,
        "target": {"type": "shop/cart", "id": "ada"},
        "caller": {"type": "shop/stock", "id": "bob"},
        "token": "reminder",
        "message": {"typename": STRING, "value": "at 1000"},
    }
    assert second["token"] is None


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["mailbox", "shop/cart/eve"], "there are more than 1; show more with --limit\n"),
        (["delayed", "list"], "there are more than 1; show more with --limit\n"),
    ],
)
def test_a_list_ends_at_its_limit_and_says_so(cli: CliRunner, data: Path, command: list[str], told: str) -> None:
    result = cli.invoke(main, [*command, "--limit", "1"])
    assert (len(result.stdout.splitlines()), result.stderr) == (1, told)
    assert cli.invoke(main, [*command, "--limit", "2"]).stderr == ""


def test_the_journal_lists_who_did_what(cli: CliRunner, data: Path) -> None:
    cli.invoke(main, ["parked", "resume", "shop/cart/eve"])
    cli.invoke(main, ["dead-letters", "delete", "4", "--yes"])
    first, second = cli.invoke(main, ["journal"]).output.splitlines()
    assert first.endswith("  resume shop/cart/eve: resumed")
    assert second.endswith("  delete 4: deleted")
    rows = [json.loads(line) for line in cli.invoke(main, ["journal", "--json"]).output.splitlines()]
    assert [(row["action"], row["target"], row["detail"]) for row in rows] == [
        ("resume", "shop/cart/eve", "resumed"),
        ("delete", "4", "deleted"),
    ]
    assert first.startswith(f"{rows[0]['time']}  {rows[0]['who']}  ")


def test_what_is_empty_says_so(cli: CliRunner, directory: Path) -> None:
    RocksDBStore(directory / "statefun-data").close()
    assert cli.invoke(main, ["journal"]).stderr == "no operator has done anything\n"
    assert cli.invoke(main, ["dead-letters", "list"]).stderr == "there are no dead letters\n"
    assert cli.invoke(main, ["journal", "--json"]).output == ""
