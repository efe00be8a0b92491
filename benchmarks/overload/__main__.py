"""A runtime that is sent five times what it can take: what it accepts, how late it is, and what it does to others.

Usage: python -m benchmarks.overload [--seconds S] [--times N]

A real `statefun run` with its default settings hosts a function that keeps the processor for 5 ms a message, and one
that waits for a second. For each, its capacity is measured by senders that wait for their answers; then it is sent N
times as much, whether or not there are answers. Meanwhile a third function is sent ten messages a second, to see
whether it is slowed. In the end every accepted message must have been handled exactly once.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.overload.load import Load
from benchmarks.process import pss, status
from tests.e2e.command import Runtime, statefun

APPLICATION = "benchmarks.overload.application:functions"
PROBES = 10
"""Messages a second to the function that is neither busy nor slow."""
SENDERS = {"busy": 64, "slow": 256}
"""Senders that measure a capacity: more than are handled at once."""
SETTLE = 300.0
"""Seconds in which all that was accepted must have been handled."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long each overload lasts")
    parser.add_argument("--times", type=float, default=5, help="how many times its capacity a function is sent")
    arguments = parser.parse_args()
    for function in SENDERS:
        with tempfile.TemporaryDirectory(prefix="statefun-overload-") as directory:
            runtime = Runtime(Path(directory), APPLICATION).start()
            try:
                loads = asyncio.run(measure(runtime, function, arguments.seconds, arguments.times))
                settle(runtime)
            finally:
                runtime.kill()
            check(runtime, function, loads)


async def measure(runtime: Runtime, function: str, seconds: float, times: float) -> list[Load]:
    """Measure the capacity, then overload; all that was sent."""
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        warm, load = Load(session, runtime.url, function), Load(session, runtime.url, function)
        alone, beside = Load(session, runtime.url, "quick"), Load(session, runtime.url, "quick")
        await alone.send_at(PROBES, seconds / 6)
        capacity = await capacity_of(runtime, warm, function, seconds / 6)
        print(f"\n{function}: capacity {capacity:.0f} messages/s; sent {times * capacity:.0f}/s for {seconds:.0f} s")
        memory: list[float] = []
        sampling = asyncio.create_task(sample(runtime, memory))
        await asyncio.gather(load.send_at(times * capacity, seconds), beside.send_at(PROBES, seconds))
        sampling.cancel()
    print(f"  {'':<24}{'p50 ms':>8}{'p99 ms':>8}  answers")
    for name, each in {"acknowledged": load, "another alone": alone, "another beside it": beside}.items():
        answers = ", ".join(f"{times} {outcome}" for outcome, times in each.answers.outcomes.most_common())
        print(f"  {name:<24}{percentiles(each.answers.latencies)}  {answers}")
    print(
        f"  PSS MiB: {' '.join(f'{each:.0f}' for each in memory[:: max(1, len(memory) // 12)])}; most {max(memory):.0f}"
    )
    return [warm, load, alone, beside]


async def capacity_of(runtime: Runtime, load: Load, function: str, seconds: float) -> float:
    """How many messages a second are handled when more than enough wait."""
    senders = [asyncio.create_task(load.send_in_turn(2 * seconds)) for _ in range(SENDERS[function])]
    await asyncio.sleep(seconds)
    handled, started = invocations(await asyncio.to_thread(status, runtime), function), time.monotonic()
    await asyncio.gather(*senders)
    more = invocations(await asyncio.to_thread(status, runtime), function) - handled
    return more / (time.monotonic() - started)


def invocations(found: Mapping[str, Any], function: str) -> int:
    """How many messages a function has handled, by what `/status` says."""
    return int(found["functions"][f"overload/{function}"]["invocations"])


async def sample(runtime: Runtime, memory: list[float]) -> None:
    """Note the memory every half second, until this is cancelled."""
    while True:
        memory.append(pss(runtime.command.process.pid))
        await asyncio.sleep(0.5)


def percentiles(values: Sequence[float]) -> str:
    """The median and the 99th of a hundred."""
    hundredths = statistics.quantiles(values, n=100)
    return f"{hundredths[49]:>8.0f}{hundredths[98]:>8.0f}"


def settle(runtime: Runtime) -> None:
    """Wait until all that was accepted is handled, then stop."""
    give_up = time.monotonic() + SETTLE
    while not status(runtime)["idle"]:
        if time.monotonic() > give_up:
            sys.exit(f"The runtime has not handled all messages within {SETTLE:.0f} s.")
        time.sleep(0.2)
    if runtime.stop():
        sys.exit("The runtime did not stop cleanly.")


def check(runtime: Runtime, function: str, loads: Sequence[Load]) -> None:
    """Compare what every address handled with what was accepted for it, and tell how late the messages were."""
    accepted = sum((each.answers.accepted for each in loads), Counter[str]())
    handled: Counter[str] = Counter()
    for typename in (f"overload/{function}", "overload/quick"):
        latencies: list[float] = []
        listed = statefun("state", "list", "--data", str(runtime.data), "--type", typename, "--json")
        for row in map(json.loads, listed.stdout.splitlines()):
            handled[f"{typename}/{row['id']}"] = len(row["value"])
            latencies += row["value"]
        print(f"  {f'handled, {typename}':<24}{percentiles(latencies)}")
    if accepted != handled:
        sys.exit(f"Not handled: {accepted - handled}; handled too often: {handled - accepted}")
    print(f"  {accepted.total()} messages were accepted, and each was handled once")


if __name__ == "__main__":
    main()
