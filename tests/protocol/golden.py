"""What the existing SDK answers: asked in an environment of its own, and recorded in golden/.

`python -m tests.protocol.golden --record` asks it anew and writes the files.
"""

import base64
import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scripts.cached_environment import cached_environment
from tests.protocol.generate import named_requests, random_requests

EXISTING_SDK = ("flink-statefun==3.5.0", "protobuf==7.36.2")
HERE = Path(__file__).resolve().parent
RECORDS = HERE / "golden"
RECORDED_SEED = 1
RECORDED_RANDOM = 25


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler did with a request: the bytes it replied, or the error it raised."""

    reply: bytes | None = None
    error: str | None = None


def ask_existing_sdk(requests: Iterable[bytes]) -> list[Answer]:
    """The existing SDK's answers. Both SDKs are called `statefun`, so it runs in a process of its own."""
    python = cached_environment("flink-statefun-3.5.0", EXISTING_SDK)
    lines = "".join(base64.b64encode(request).decode() + "\n" for request in requests)
    finished = subprocess.run(
        [python, HERE / "existing_sdk.py"], input=lines, capture_output=True, text=True, check=True, env={}
    )
    return [answer_of(json.loads(line)) for line in finished.stdout.splitlines()]


def answer_of(entry: dict[str, str]) -> Answer:
    if "error" in entry:
        return Answer(error=entry["error"])
    return Answer(reply=base64.b64decode(entry["reply"]))


def requests_to_record() -> dict[str, dict[str, bytes]]:
    """The requests of each golden file, by name."""
    some = random_requests(RECORDED_SEED, RECORDED_RANDOM)
    return {"named": named_requests(), "random": {f"seed {RECORDED_SEED}, {n}": data for n, data in enumerate(some)}}


def record() -> None:
    """Write the golden files."""
    for name, requests in requests_to_record().items():
        entries = []
        for (case, data), answer in zip(requests.items(), ask_existing_sdk(requests.values()), strict=True):
            said = (
                {"error": answer.error} if answer.reply is None else {"reply": base64.b64encode(answer.reply).decode()}
            )
            entries.append({"name": case, "request": base64.b64encode(data).decode(), **said})
        text = json.dumps({"sdk": EXISTING_SDK, "entries": entries}, indent=1, ensure_ascii=True)
        (RECORDS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def recorded() -> dict[str, tuple[bytes, Answer]]:
    """All recorded requests and answers, by the request's name."""
    found = {}
    for path in sorted(RECORDS.glob("*.json")):
        for entry in json.loads(path.read_text(encoding="utf-8"))["entries"]:
            found[entry["name"]] = (base64.b64decode(entry["request"]), answer_of(entry))
    return found


if __name__ == "__main__":
    if sys.argv[1:] != ["--record"]:
        sys.exit(__doc__)
    record()
