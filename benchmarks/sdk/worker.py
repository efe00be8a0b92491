"""Measures one SDK's handler in a process of its own; which SDK depends on the environment it runs in.

A line of input is JSON: {"request": base64, "seconds": at least so long}. A line of output answers it:
{"reply": base64, "seconds": of one call}. The first line of output tells the version and implementation of protobuf.
"""

import asyncio
import base64
import json
import sys
import time
from typing import Any

import google.protobuf
from google.protobuf.internal import api_implementation
from greeter import functions  # type: ignore[import-not-found]

from statefun import RequestReplyHandler


async def measure(handler: Any, request: bytes, seconds: float) -> float:
    """Seconds of processor time of one call, from as many calls as last `seconds` together."""
    calls = 1
    while True:
        started = time.process_time()
        for _ in range(calls):
            await handler.handle_async(request)
        elapsed = time.process_time() - started
        if elapsed >= seconds:
            return elapsed / calls
        calls = max(calls * 2, int(calls * seconds / elapsed))


async def main() -> None:
    handler = RequestReplyHandler(functions)
    print(f"{google.protobuf.__version__} {api_implementation.Type()}", flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        request = base64.b64decode(task["request"])
        reply = await handler.handle_async(request)
        seconds = await measure(handler, request, task["seconds"])
        print(json.dumps({"reply": base64.b64encode(reply).decode(), "seconds": seconds}), flush=True)


asyncio.run(main())
