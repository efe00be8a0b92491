"""The example of adapters of one's own: put to the contract, and run as its README says, with kills."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from sql_outbox.egress import TableEgress, TableEgressSpec
from sql_outbox.ingress import TableIngress, TableIngressSpec
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.cli.application import unserved_targets
from statefun_runtime.errors import EgressError, IngressError
from statefun_runtime.interfaces import AdapterContext, Payload
from statefun_runtime.module.loader import load_modules
from statefun_runtime.testing import (
    EGRESS_CHECKS,
    INGRESS_CHECKS,
    PATIENCE,
    EgressCheck,
    IngressCheck,
    MemoryInlet,
    MemoryOutbox,
)
from tests.e2e.command import STATEFUN, wait_until
from tests.repo.sources import ROOT

EXAMPLE = ROOT / "examples" / "sql_outbox"
ORDERS = "CREATE TABLE orders (number INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT, value TEXT)"

KILLS = 8
WAVE = 600
TOTAL = (KILLS + 1) * WAVE


class Source:
    keeps = True
    patience = PATIENCE

    def __init__(self, directory: Path) -> None:
        self._path = directory / "shop.db"
        with closing(sqlite3.connect(self._path)) as database:
            database.execute(ORDERS)

    def ingress(self, context: AdapterContext) -> TableIngress:
        spec = TableIngressSpec(
            id="shop/orders",
            path=self._path,
            table="orders",
            value_type="shop/Order",
            targets=("shop/customer",),
            poll_interval=5,
        )
        return TableIngress(spec, context)

    async def put(self, target_id: str) -> None:
        with closing(sqlite3.connect(self._path)) as database, database:
            database.execute("INSERT INTO orders (target, value) VALUES (?, '{}')", (target_id,))


class Sink:
    exactly_once = True
    patience = PATIENCE

    def __init__(self, directory: Path) -> None:
        self._path = directory / "shop.db"

    def egress(self, context: AdapterContext) -> TableEgress:
        return TableEgress(TableEgressSpec(id="shop/receipts", path=self._path, table="receipts"), context)

    def record(self, value: str) -> Payload:
        return TypedValue(typename="shop/Receipt", has_value=True, value=value.encode()).SerializeToString()

    async def read(self) -> list[str]:
        return [value.decode() for (value,) in rows(self._path, "SELECT value FROM receipts ORDER BY number")]


def rows(path: Path, query: str) -> list[tuple[bytes]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


@pytest.mark.contract
@pytest.mark.parametrize("check", INGRESS_CHECKS)
async def test_the_ingress_keeps_the_contract(check: IngressCheck, tmp_path: Path) -> None:
    await check(Source(tmp_path))


@pytest.mark.contract
@pytest.mark.parametrize("check", EGRESS_CHECKS)
async def test_the_egress_keeps_the_contract(check: EgressCheck, tmp_path: Path) -> None:
    await check(Sink(tmp_path))


async def test_a_table_that_is_missing_ends_the_ingress_with_its_name(tmp_path: Path) -> None:
    source = Source(tmp_path)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.execute("DROP TABLE orders")
    ingress = source.ingress(AdapterContext())
    await ingress.start(MemoryInlet(), {})
    with pytest.raises(IngressError, match=r"shop/orders: .*shop.db: no such table: orders"):
        await ingress.run()
    await ingress.stop()


async def test_a_database_that_cannot_be_opened_is_an_error_with_its_path(tmp_path: Path) -> None:
    egress = Sink(tmp_path / "nowhere").egress(AdapterContext())
    with pytest.raises(EgressError, match=r"shop/receipts: .*nowhere/shop.db: unable to open"):
        await egress.start(MemoryOutbox(), None)
    await egress.stop()


@pytest.mark.slow
def test_every_order_gets_one_receipt_whatever_is_killed_when(tmp_path: Path) -> None:
    """The package is installed as users install it, beside this environment."""
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*install, "--disable-pip-version-check", "--target", str(site), str(EXAMPLE)], check=True)
    for name in ("app.py", "module.yaml"):
        (tmp_path / name).write_text((EXAMPLE / name).read_text())
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(ORDERS)
    for kill in range(KILLS):
        insert(path, range(kill * WAVE, (kill + 1) * WAVE))
        run_until(tmp_path, site, Reaches(path, receipts(path) + 1), signal.SIGKILL)
    insert(path, range(KILLS * WAVE, TOTAL))
    run_until(tmp_path, site, Reaches(path, TOTAL), signal.SIGTERM)
    items = rows(path, "SELECT json_extract(value, '$.item') FROM receipts")
    assert sorted(int(item) for (item,) in items) == list(range(TOTAL))
    totals = rows(
        path, "SELECT max(json_extract(value, '$.total')) FROM receipts GROUP BY json_extract(value, '$.customer')"
    )
    assert sum(int(total) for (total,) in totals) == TOTAL


def insert(path: Path, numbers: range) -> None:
    orders = [(f"customer-{number % 7}", f'{{"item": "{number}", "price": 1}}') for number in numbers]
    with closing(sqlite3.connect(path)) as database, database:
        database.executemany("INSERT INTO orders (target, value) VALUES (?, ?)", orders)


@dataclass
class Reaches:
    """Whether there are at least so many receipts."""

    path: Path
    least: int

    def __call__(self) -> bool:
        return receipts(self.path) >= self.least


def receipts(path: Path) -> int:
    try:
        [(count,)] = rows(path, "SELECT count(*) FROM receipts")
    except sqlite3.OperationalError:
        return 0
    return int(count)


def run_until(directory: Path, site: Path, condition: Callable[[], bool], ending: signal.Signals) -> None:
    """Run the example until `condition` holds, and end it by a signal."""
    command = [STATEFUN, "run", "module.yaml", "--functions", "app:functions", "--data", "data", "--admin-port", "0"]
    with (directory / "log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=directory, env={**os.environ, "PYTHONPATH": str(site)}, stdout=log, stderr=log
        )
    try:
        wait_until(condition, f"that the receipts are there ({directory / 'log'})")
    finally:
        process.send_signal(ending)
        process.wait(30)


def test_a_target_of_the_ingress_that_nobody_serves_is_told(tmp_path: Path) -> None:
    path = tmp_path / "module.yaml"
    path.write_text((EXAMPLE / "module.yaml").read_text())
    own = {"example.sql/ingress": lambda: TableIngressSpec}
    module = load_modules([path], own_ingresses=own).module
    [problem] = unserved_targets(module, ())
    assert problem.path == "spec.targets[0]"
    assert "shop/orders sends to shop/customer, which no hosted function" in problem.message
