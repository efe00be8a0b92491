"""What a run left behind, and how it differs from what it must have done."""

import base64
import json
from collections import Counter
from collections.abc import Collection

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.conformance import outcome as kit
from statefun_runtime.conformance.outcome import Outcome
from statefun_runtime.conformance.trees import Planter, Record, expected
from tests.conformance.scene import Scene
from tests.e2e.command import Runtime, statefun


def roots(outcome: Outcome) -> list[str]:
    """The names of the trees whose roots were applied, as often as they were."""
    return [root for state in outcome.states.values() for root in state["journal"]["roots"]]


def read_outcome(scene: Scene) -> Outcome:
    """Read what a stopped runtime left."""
    outcome = Outcome()
    for server in scene.servers.values():
        _read_states(outcome, scene.runtime, server.language.typename)
    for kind, path in scene.records.items():
        outcome.records.update(_record(kind, line) for line in path.read_text().splitlines())
    return outcome


def _read_states(outcome: Outcome, runtime: Runtime, typename: str) -> None:
    listed = statefun("state", "list", "--data", str(runtime.data), "--type", typename, "--json")
    assert listed.returncode == 0, listed.stderr
    for row in map(json.loads, listed.stdout.splitlines()):
        outcome.states.setdefault(f"{typename}/{row['id']}", {})[row["name"]] = row["value"]


def _record(kind: str, line: str) -> Record:
    """A line of an egress."""
    if kind == "generic":
        return kind, line.partition(" ")[0], line
    written = json.loads(line)
    value = TypedValue(typename=written["typename"], has_value=True, value=base64.b64decode(written["value"]))
    return kit.read_record(kind, value.SerializeToString())


def differences(outcome: Outcome, planter: Planter, acknowledged: Collection[str], sent: Collection[str]) -> list[str]:
    """How an outcome differs from a right one, a line each. What was applied counts, acknowledged or not."""
    applied = Counter(roots(outcome))
    found = [f"{root} was applied {times} times" for root, times in applied.items() if times > 1]
    found += [f"{root} was acknowledged and not applied" for root in acknowledged if root not in applied]
    found += [f"{root} was applied and never sent" for root in applied.keys() - set(sent)]
    parts = (root.rpartition("-") for root in applied)
    wanted = expected(planter.root(sender, int(number)) for sender, _, number in parts)
    return found + kit.differences(outcome, wanted)
