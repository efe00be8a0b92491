"""Answers requests with the existing SDK. Runs in an environment of its own, where `statefun` is that SDK.

A line of input is a request in base64; a line of output is JSON: {"reply": base64} or {"error": text}.
"""

import asyncio
import base64
import json
import sys

from application import functions  # type: ignore[import-not-found]

from statefun import RequestReplyHandler


async def main() -> None:
    handler = RequestReplyHandler(functions)
    for line in sys.stdin:
        try:
            reply = await handler.handle_async(base64.b64decode(line))
            answer = {"reply": base64.b64encode(reply).decode()}
        except Exception as error:  # noqa: BLE001  whatever it raises is its answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")


asyncio.run(main())
