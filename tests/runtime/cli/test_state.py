import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from statefun import IntType, StringType, Type, make_json_type, simple_type
from statefun.wire import encode_typed_value
from statefun_runtime.cli.main import main
from statefun_runtime.epoch import Epoch, Parked
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.rocksdb import RocksDBStore

JSON = make_json_type("shop/Items")
RAW = simple_type("shop/Raw", bytes, bytes)


def value(type_: Type[Any], content: object) -> tuple[int, bytes]:
    return 0, encode_typed_value(type_.typename, type_.serialize(content))


@pytest.fixture
def data(directory: Path) -> Iterator[Path]:
    """The data directory of a live runtime, where the settings expect it."""
    epoch = Epoch(1)
    epoch.state["shop/cart", "ada"] = {"items": value(JSON, {"socks": 2}), "seen": value(IntType, 3)}
    epoch.state["shop/cart", "adam/2"] = {"items": value(JSON, ["hat"])}
    epoch.state["shop/raw", "x"] = {"bytes": value(RAW, b"\xff\x00"), "text": value(StringType, "é")}
    epoch.parked["shop/cart", "eve"] = Parked(1_700_000_000_000, 10, "the function fails: boom")
    path = directory / "statefun-data"
    with closing(RocksDBStore(path)) as store:
        store.commit(changes_of(epoch, "lineage"))
        yield path


def test_all_values_are_listed_and_decoded(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["state", "list"])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        'shop/cart/ada  items  shop/Items  {"socks": 2}',
        "shop/cart/ada  seen  io.statefun.types/int  3",
        'shop/cart/adam/2  items  shop/Items  ["hat"]',
        "shop/raw/x  bytes  shop/Raw  base64:/wA=",
        'shop/raw/x  text  io.statefun.types/string  "é"',
    ]


def test_values_are_listed_by_type_and_prefix(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["state", "list", "--data", str(data), "--type", "shop/cart", "--id-prefix", "adam"])
    assert result.output == 'shop/cart/adam/2  items  shop/Items  ["hat"]\n'


def test_values_as_json_are_one_object_a_line(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["state", "list", "--json", "--type", "shop/raw"])
    assert [json.loads(line) for line in result.output.splitlines()] == [
        {"type": "shop/raw", "id": "x", "name": "bytes", "typename": "shop/Raw", "base64": "/wA="},
        {"type": "shop/raw", "id": "x", "name": "text", "typename": "io.statefun.types/string", "value": "é"},
    ]


def test_the_values_of_one_address_are_shown(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["state", "show", "shop/cart/ada"])
    assert result.output == 'items (shop/Items): {"socks": 2}\nseen (io.statefun.types/int): 3\n'


def test_the_id_of_an_address_may_contain_slashes(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["state", "show", "shop/cart/adam/2", "--json"])
    assert json.loads(result.output)["value"] == ["hat"]


def test_an_address_without_state_is_exit_code_1(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["state", "show", "shop/cart/ad"])
    assert result.exit_code == 1
    assert "shop/cart/ad has no durable state" in result.output


def test_a_prefix_without_a_type_is_wrong_usage(cli: CliRunner, data: Path) -> None:
    assert cli.invoke(main, ["state", "list", "--id-prefix", "a"]).exit_code == 2


def test_parked_addresses_are_listed_with_the_reason(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["parked", "list"])
    assert result.output == (
        "shop/cart/eve  since 2023-11-14T22:13:20.000+00:00, 10 attempts: the function fails: boom\n"
    )


def test_parked_addresses_as_json_have_all_their_parts(cli: CliRunner, data: Path) -> None:
    assert json.loads(cli.invoke(main, ["parked", "list", "--json"]).output) == {
        "type": "shop/cart",
        "id": "eve",
        "since": "2023-11-14T22:13:20.000+00:00",
        "attempts": 10,
        "reason": "the function fails: boom",
        "kind": "permanent",
        "messages": 1,
    }


def test_the_data_directory_may_come_from_the_environment(cli: CliRunner, data: Path) -> None:
    moved = {"STATEFUN_DATA_DIR": str(data.parent / "elsewhere")}
    assert cli.invoke(main, ["state", "list"], env=moved).exit_code == 1
    assert cli.invoke(main, ["state", "list"], env={"STATEFUN_DATA_DIR": str(data)}).exit_code == 0


def test_a_directory_without_data_is_exit_code_1(cli: CliRunner, directory: Path) -> None:
    result = cli.invoke(main, ["state", "list"])
    assert result.exit_code == 1
    assert "is not a data directory" in result.output


def test_a_directory_without_parked_addresses_says_so(cli: CliRunner, directory: Path) -> None:
    RocksDBStore(directory / "statefun-data").close()
    result = cli.invoke(main, ["parked", "list"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no address is parked\n")
