"""`statefun dead-letters` on a stopped application."""

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from statefun import IntType
from statefun_runtime.cli.main import main
from statefun_runtime.inspection import read_dead_letters, read_journal, read_mailbox

from . import parked_data
from .parked_data import ADA


@pytest.fixture
def data(directory: Path) -> Path:
    """A stopped data directory, where the settings expect it."""
    return parked_data.write(directory / "statefun-data")


def numbers(data: Path) -> list[int]:
    return [letter.number for letter in read_dead_letters(data)]


def test_the_list_has_a_line_for_each_and_is_chosen_by_type_and_prefix(cli: CliRunner, data: Path) -> None:
    def listed(*options: str) -> list[str]:
        return cli.invoke(main, ["dead-letters", "list", *options]).output.splitlines()

    first, second = (
        "4  2023-11-14T22:13:20.000+00:00  shop/cart/ada  10 attempts: boom",
        "5  2023-11-14T22:13:20.000+00:00  shop/mail  no egress",
    )
    assert listed() == [first, second]
    assert listed("--type", "shop/cart", "--id-prefix", "a") == [first]
    assert listed("--type", "shop/stock") == [second], "a record is found by its sender"
    assert listed("--type", "shop/cart", "--id-prefix", "b") == ["there are no dead letters"]


def test_json_tells_everything_decoded(cli: CliRunner, data: Path) -> None:
    listed = cli.invoke(main, ["dead-letters", "list", "--json"]).output.splitlines()
    letter = {
        "number": 4,
        "time": "2023-11-14T22:13:20.000+00:00",
        "kind": "message",
        "destination": "shop/cart",
        "target": {"type": "shop/cart", "id": "ada"},
        "caller": {"type": "shop/cart", "id": "eve"},
        "attempts": 10,
        "reason": "boom",
        "message": {"typename": "io.statefun.types/string", "value": "bad"},
        "state": {"seen": {"typename": "io.statefun.types/int", "value": 2}},
    }
    assert json.loads(listed[0]) == letter
    assert json.loads(cli.invoke(main, ["dead-letters", "show", "4", "--json"]).output) == letter


def test_one_is_shown_in_full(cli: CliRunner, data: Path) -> None:
    assert cli.invoke(main, ["dead-letters", "show", "4"]).output.splitlines() == [
        "message to shop/cart/ada, 2023-11-14T22:13:20.000+00:00",
        "10 attempts: boom",
        'from shop/cart/eve: io.statefun.types/string  "bad"',
        "state seen: io.statefun.types/int  2",
    ]
    assert cli.invoke(main, ["dead-letters", "show", "5"]).output.splitlines() == [
        "egress record to shop/mail, 2023-11-14T22:13:20.000+00:00",
        "no egress",
        'from shop/stock/bob: io.statefun.types/string  "mail"',
    ]


@pytest.mark.parametrize("number", ["77", str(1 << 64)])
def test_one_that_does_not_exist_is_exit_code_1(cli: CliRunner, data: Path, number: str) -> None:
    result = cli.invoke(main, ["dead-letters", "show", number])
    assert (result.exit_code, result.output) == (1, f"Error: there is no dead letter {number}\n")


def test_a_letter_that_is_sent_again_waits_as_a_new_message(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["dead-letters", "resend", "4"])
    assert (result.exit_code, result.output) == (0, "4  sent again to shop/cart/ada\n")
    assert numbers(data) == [5]
    [message] = read_mailbox(data, ADA)
    assert message[0] > 10
    assert message[2:] == (("shop/cart", "eve"), parked_data.text("bad"))


def test_a_record_cannot_be_sent_by_a_stopped_application(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["dead-letters", "resend", "--all"])
    assert result.exit_code == 1
    assert result.stdout == "4  sent again to shop/cart/ada\n"
    assert "5  cannot be sent: the application, as it runs now, has no egress shop/mail" in result.stderr
    assert numbers(data) == [5]


def test_deleting_asks_first(cli: CliRunner, data: Path) -> None:
    assert cli.invoke(main, ["dead-letters", "delete", "--all"], input="n\n").exit_code == 1
    assert numbers(data) == [4, 5]
    asked = cli.invoke(main, ["dead-letters", "delete", "4"], input="y\n")
    assert "Delete dead letter 4?" in asked.stderr
    assert asked.stdout == "4  deleted\n"
    assert numbers(data) == [5]
    assert cli.invoke(main, ["dead-letters", "delete", "--type", "shop/stock", "--yes"]).exit_code == 0
    assert numbers(data) == []
    assert [entry.target for entry in read_journal(data)] == ["4", "5"]


def test_a_choice_that_matches_nothing_does_nothing(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["dead-letters", "resend", "--type", "shop/none"])
    assert (result.exit_code, result.stderr) == (1, "Error: no dead letter is of that choice\n")


@pytest.mark.parametrize("name", ["x", "-1", "٣", "9" * 30])
def test_what_is_no_number_is_wrong_usage(cli: CliRunner, data: Path, name: str) -> None:
    assert cli.invoke(main, ["dead-letters", "resend", "--", name]).exit_code == 2


def test_an_export_holds_the_bytes_as_well(cli: CliRunner, data: Path) -> None:
    rows = [json.loads(line) for line in cli.invoke(main, ["dead-letters", "export"]).output.splitlines()]
    assert [row["number"] for row in rows] == [4, 5]
    assert base64.b64decode(rows[0]["payload"]) == parked_data.text("bad")
    assert base64.b64decode(rows[0]["state_payloads"]["seen"]) == parked_data.payload(IntType, 2)
    assert rows[0]["message"]["value"] == "bad"
