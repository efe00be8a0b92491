"""`statefun parked` on a stopped application, and on one whose runtime does not answer."""

import json
import os
import pwd
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from scripts.ports import free_port
from statefun_runtime import operation_runner
from statefun_runtime.access import Access, write_access
from statefun_runtime.cli.main import main
from statefun_runtime.inspection import read_dead_letters, read_journal, read_mailbox, read_parked
from statefun_runtime.operation import Action, Operation
from statefun_runtime.store.rocksdb import RocksDBStore

from . import parked_data
from .parked_data import BOB, EVE


@pytest.fixture
def data(directory: Path) -> Path:
    """A stopped data directory, where the settings expect it."""
    return parked_data.write(directory / "statefun-data")


def parked(data: Path) -> list[tuple[str, str]]:
    return [address for address, _ in read_parked(data)]


def test_the_list_is_chosen_by_type_and_prefix(cli: CliRunner, data: Path) -> None:
    def listed(*options: str) -> list[str]:
        return cli.invoke(main, ["parked", "list", *options]).output.splitlines()

    assert [line.split()[0] for line in listed()] == ["shop/cart/eve", "shop/stock/bob"]
    assert [line.split()[0] for line in listed("--type", "shop/cart", "--id-prefix", "e")] == ["shop/cart/eve"]
    assert listed("--type", "shop/cart", "--id-prefix", "x") == ["no address is parked"]


def test_json_tells_what_kind_of_failure_it_was_and_how_many_messages_the_call_carried(
    cli: CliRunner, data: Path
) -> None:
    first = json.loads(cli.invoke(main, ["parked", "list", "--json"]).output.splitlines()[0])
    assert (first["kind"], first["messages"], first["attempts"]) == ("transient", 2, 10)


def test_resume_takes_the_address_off_the_list_and_keeps_its_messages(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["parked", "resume", "shop/cart/eve"])
    assert (result.exit_code, result.output) == (0, "shop/cart/eve  resumed\n")
    assert parked(data) == [BOB]
    assert len(list(read_mailbox(data, EVE))) == 2


def test_skip_asks_first_and_makes_a_dead_letter_with_the_state(cli: CliRunner, data: Path) -> None:
    refused = cli.invoke(main, ["parked", "skip", "shop/cart/eve"], input="n\n")
    assert (refused.exit_code, parked(data)) == (1, [EVE, BOB])
    assert "Skip the first message of shop/cart/eve?" in refused.output
    assert cli.invoke(main, ["parked", "skip", "shop/cart/eve"], input="y\n").exit_code == 0
    assert parked(data) == [BOB]
    assert [message[0] for message in read_mailbox(data, EVE)] == [2]
    letter = next(letter for letter in read_dead_letters(data) if letter.number == 1)
    assert (letter.attempts, list(letter.state)) == (10, ["seen"])


def test_without_anybody_to_ask_nothing_is_done(cli: CliRunner, data: Path) -> None:
    assert cli.invoke(main, ["parked", "purge", "--all"], input="").exit_code == 1
    assert parked(data) == [EVE, BOB]


def test_purge_makes_dead_letters_of_everything_that_waits(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["parked", "purge", "--all", "--yes"])
    assert result.output.splitlines() == [
        "shop/cart/eve  2 messages to the dead letters, resumed",
        "shop/stock/bob  1 message to the dead letters, resumed",
    ]
    assert sorted(letter.number for letter in read_dead_letters(data)) == [1, 2, 3, 4, 5]
    assert list(read_mailbox(data, EVE)) == []


def test_a_purge_of_many_messages_goes_on_until_all_are_gone(
    cli: CliRunner, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation_runner, "MAX_MESSAGES", 1)
    result = cli.invoke(main, ["parked", "purge", "--all", "--yes"])
    assert result.output.splitlines() == [
        "shop/cart/eve  1 message to the dead letters, more wait",
        "shop/cart/eve  1 message to the dead letters, resumed",
        "shop/stock/bob  1 message to the dead letters, resumed",
    ]
    assert parked(data) == []
    assert [entry.target for entry in read_journal(data)] == ["shop/cart/eve", "shop/cart/eve", "shop/stock/bob"]
    assert sorted(letter.number for letter in read_dead_letters(data)) == [1, 2, 3, 4, 5]


def test_an_address_that_is_purged_in_part_says_so_and_what_follows_is_not_taken_for_what_failed(
    data: Path, cli: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation_runner, "MAX_MESSAGES", 1)
    [outcome] = operation_runner.perform_stopped(data, Operation(Action.PURGE, (EVE,), "ann"))
    assert outcome.more
    why = dict(read_parked(data))[EVE]
    assert (why.attempts, why.messages) == (0, 0)
    assert why.reason == "it is being purged; it parked because the function fails: boom"
    result = cli.invoke(main, ["parked", "debug", "shop/cart/eve", "--functions", "app:functions"])
    assert "shop/cart/eve is being purged" in result.stderr
    cli.invoke(main, ["parked", "skip", "shop/cart/eve", "--yes"])
    assert [letter.attempts for letter in read_dead_letters(data) if letter.message[1] == EVE] == [0, 0]


def test_purge_can_discard_by_type_and_prefix(cli: CliRunner, data: Path) -> None:
    options = ["--type", "shop/cart", "--id-prefix", "e", "--discard", "--json"]
    asked = cli.invoke(main, ["parked", "purge", *options], input="y\n")
    assert "Delete all messages of shop/cart/eve?" in asked.stderr
    assert json.loads(asked.stdout) == {
        "target": "shop/cart/eve",
        "done": True,
        "text": "2 messages deleted, resumed",
        "more": False,
    }
    assert parked(data) == [BOB]
    assert sorted(letter.number for letter in read_dead_letters(data)) == [4, 5]


def test_the_journal_names_who_did_it(cli: CliRunner, data: Path) -> None:
    cli.invoke(main, ["parked", "resume", "--all"])
    entries = list(read_journal(data))
    assert [(entry.action, entry.target) for entry in entries] == [
        ("resume", "shop/cart/eve"),
        ("resume", "shop/stock/bob"),
    ]
    assert {entry.who for entry in entries} == {pwd.getpwuid(os.getuid()).pw_name}
    assert all(entry.time > parked_data.SINCE for entry in entries)


def test_what_is_not_parked_is_exit_code_1_and_the_others_are_done(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["parked", "resume", "shop/cart/nobody", "shop/cart/eve"])
    assert result.exit_code == 1
    assert result.stdout == "shop/cart/eve  resumed\n"
    assert result.stderr == "shop/cart/nobody  is not parked\nError: 1 of 2 not done\n"


@pytest.mark.parametrize(
    "arguments", [[], ["shop/cart/eve", "--all"], ["--type", "shop/cart", "--all"], ["--id-prefix", "a"]]
)
def test_which_addresses_must_be_said_in_one_way(cli: CliRunner, data: Path, arguments: list[str]) -> None:
    assert cli.invoke(main, ["parked", "resume", *arguments]).exit_code == 2


def test_a_choice_that_matches_nothing_does_nothing(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["parked", "purge", "--type", "shop/none", "--yes"])
    assert (result.exit_code, result.stderr) == (1, "Error: no parked address is of that choice\n")


def test_a_directory_that_is_none_is_not_made_into_one(cli: CliRunner, directory: Path) -> None:
    result = cli.invoke(main, ["parked", "resume", "shop/cart/eve"])
    assert result.exit_code == 1
    assert "is not a data directory" in result.output
    assert not (directory / "statefun-data").exists()


def test_an_owner_that_cannot_be_asked_is_exit_code_3(cli: CliRunner, data: Path) -> None:
    with closing(RocksDBStore(data)):
        result = cli.invoke(main, ["parked", "resume", "shop/cart/eve", "--data", str(data)])
    assert result.exit_code == 3
    assert "another process owns" in result.output


def test_an_owner_that_does_not_answer_is_exit_code_4(cli: CliRunner, data: Path) -> None:
    write_access(data, Access("127.0.0.1", free_port(), "token"))
    with closing(RocksDBStore(data)):
        result = cli.invoke(main, ["parked", "resume", "shop/cart/eve", "--data", str(data)])
    assert result.exit_code == 4
    assert "does not answer" in result.output
