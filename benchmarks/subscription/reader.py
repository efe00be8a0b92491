"""A reader in a process of its own."""

import time

from statefun.client import StatefunClient

EGRESS = "benchmark/records"


def read(port: int, records: int) -> float:
    """Read all records with the client; the seconds that it took."""
    started = time.perf_counter()
    with StatefunClient(f"http://127.0.0.1:{port}") as client:
        for _, record in zip(range(records), client.subscribe(EGRESS), strict=False):
            last = record.cursor
    assert last.endswith(f"-{records}")
    return time.perf_counter() - started
