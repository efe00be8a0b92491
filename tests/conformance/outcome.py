"""What a run left behind, and how it differs from what it must have done."""

import base64
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from statefun.protocol.egress_pb2 import KafkaProducerRecord, KinesisEgressRecord
from tests.conformance.scene import Scene
from tests.conformance.trees import Account, Planter, Record, expected
from tests.e2e.command import Runtime, statefun


@dataclass
class Outcome:
    """The states by instance, and the records at the egresses."""

    states: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    records: Counter[Record] = field(default_factory=Counter[Record])

    def roots(self) -> list[str]:
        """The names of the trees whose roots were applied, as often as they were."""
        return [root for state in self.states.values() for root in state["journal"]["roots"]]


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
    """A line of an egress; the instance of a text's record is its first word."""
    if kind == "generic":
        return kind, line.partition(" ")[0], line
    written = json.loads(line)
    value = base64.b64decode(written["value"])
    if kind == "kafka":
        assert written["typename"] == "type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord"
        kafka = KafkaProducerRecord.FromString(value)
        assert kafka.topic == "topic"
        return kind, kafka.key, kafka.value_bytes.decode()
    assert written["typename"] == "type.googleapis.com/io.statefun.sdk.egress.KinesisEgressRecord"
    kinesis = KinesisEgressRecord.FromString(value)
    assert (kinesis.stream, kinesis.explicit_hash_key) == ("stream", "7")
    return kind, kinesis.partition_key, kinesis.value_bytes.decode()


def differences(outcome: Outcome, planter: Planter, acknowledged: Collection[str], sent: Collection[str]) -> list[str]:
    """How an outcome differs from a right one, a line each. What was applied counts, acknowledged or not."""
    roots = Counter(outcome.roots())
    found = [f"{root} was applied {times} times" for root, times in roots.items() if times > 1]
    found += [f"{root} was acknowledged and not applied" for root in acknowledged if root not in roots]
    found += [f"{root} was applied and never sent" for root in roots.keys() - set(sent)]
    wanted = expected(planter.root(sender, int(number)) for sender, _, number in (r.rpartition("-") for r in roots))
    for instance in sorted(outcome.states.keys() | wanted.accounts.keys()):
        found += _differences_of(instance, outcome.states.get(instance, {}), wanted.accounts.get(instance, Account()))
    lost, doubled = wanted.records - outcome.records, outcome.records - wanted.records
    found += [f"the record {record!r} is missing {times} times" for record, times in lost.items()]
    return found + [f"the record {record!r} is there {times} times too often" for record, times in doubled.items()]


def _differences_of(instance: str, state: Mapping[str, Any], wanted: Account) -> list[str]:
    journal = state.get("journal", {})
    account = Account(journal.get("messages", 0), journal.get("digest", 0), journal.get("totals", {}))
    values = {name: integer(name, value) for name, value in state.items() if name != "journal"}
    found = [] if account == wanted else [f"{instance} has {account} and must have {wanted}"]
    found += [] if values == wanted.totals else [f"{instance} holds {values} and must hold {wanted.totals}"]
    return found + [f"{instance}: {violation}" for violation in journal.get("violations", [])]


def integer(name: str, value: Any) -> int:
    """A state's value as the integer that it stands for."""
    return int(value["count"] if name == "json" else value)
