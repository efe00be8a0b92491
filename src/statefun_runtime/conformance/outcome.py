"""What instances and egresses hold after a run, and how that differs from what they must hold."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from google.protobuf.message import DecodeError

from statefun.protocol.egress_pb2 import KafkaProducerRecord, KinesisEgressRecord
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.conformance.trees import Account, Expectation, Record
from statefun_runtime.interfaces import Payload
from statefun_runtime.value_json import json_text

_RECORDS = "type.googleapis.com/io.statefun.sdk.egress."
_STRING = "io.statefun.types/string"


@dataclass
class Outcome:
    """The states by instance, and the records at the egresses."""

    states: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    records: Counter[Record] = field(default_factory=Counter[Record])


def read_value(payload: Payload) -> Any:
    """What a state holds; a text that says so if its bytes are no value of their type."""
    value = TypedValue.FromString(payload)
    try:
        return json.loads(json_text(value.typename, value.value))
    except (ValueError, RecursionError) as error:
        return f"unreadable {value.typename} {value.value.hex()}: {error}"


def read_record(kind: str, payload: Payload) -> Record:
    """What an egress of this kind got; a record that is not as it had to be is one of no instance."""
    argument = TypedValue.FromString(payload)
    try:
        return _read_record(kind, argument)
    except (DecodeError, ValueError) as error:
        return kind, "", f"unreadable {argument.typename} {argument.value.hex()}: {error}"


def _read_record(kind: str, argument: TypedValue) -> Record:
    typename = {"kafka": f"{_RECORDS}KafkaProducerRecord", "kinesis": f"{_RECORDS}KinesisEgressRecord"}.get(
        kind, _STRING
    )
    if argument.typename != typename:
        raise ValueError(f"its typename must be {typename}")
    if kind == "kafka":
        kafka = KafkaProducerRecord.FromString(argument.value)
        return kind, kafka.key, _text(kafka.value_bytes, (kafka.topic,), ("topic",))
    if kind == "kinesis":
        kinesis = KinesisEgressRecord.FromString(argument.value)
        place = (kinesis.stream, kinesis.explicit_hash_key)
        return kind, kinesis.partition_key, _text(kinesis.value_bytes, place, ("stream", "7"))
    text = str(json.loads(json_text(argument.typename, argument.value)))
    return kind, text.partition(" ")[0], text


def _text(value: bytes, place: tuple[str, ...], wanted: tuple[str, ...]) -> str:
    if place != wanted:
        raise ValueError(f"it goes to {place} and must go to {wanted}")
    return value.decode()


def differences(outcome: Outcome, wanted: Expectation) -> list[str]:
    """How an outcome differs from a right one, a line each."""
    found: list[str] = []
    for instance in sorted(outcome.states.keys() | wanted.accounts.keys()):
        found += _differences_of(instance, outcome.states.get(instance, {}), wanted.accounts.get(instance, Account()))
    lost, surplus = wanted.records - outcome.records, outcome.records - wanted.records
    found += [f"the record {record!r} is missing {times} times" for record, times in lost.items()]
    return found + [f"the record {record!r} is there {times} times too often" for record, times in surplus.items()]


def _differences_of(instance: str, state: Mapping[str, Any], wanted: Account) -> list[str]:
    found = state.get("journal", {})
    if not isinstance(found, dict):
        return [f"{instance} has a journal that is none: {found}"]
    journal = cast("dict[str, Any]", found)
    account = Account(journal.get("messages", 0), journal.get("digest", 0), journal.get("totals", {}))
    values = {name: _integer(name, value) for name, value in state.items() if name != "journal"}
    problems = [] if account == wanted else [f"{instance} has {account} and must have {wanted}"]
    problems += [] if values == wanted.totals else [f"{instance} holds {values} and must hold {wanted.totals}"]
    return problems + [f"{instance}: {violation}" for violation in journal.get("violations", [])]


def _integer(name: str, value: Any) -> Any:
    """A state's value as the integer that it stands for; the value itself if it stands for none."""
    try:
        return int(value["count"] if name == "json" else value)
    except (ValueError, TypeError, KeyError):
        return value
