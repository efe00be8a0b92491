"""What Flink makes of a module file, told from the file as it is written."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import yaml
from pydantic import ValidationError

from statefun_runtime.flink.difference import Difference, different, refused
from statefun_runtime.module.declaration import Declaration
from statefun_runtime.module.kinds import ENDPOINTS
from statefun_runtime.module.loader import LoadResult
from statefun_runtime.module.node import MappingNode, Node, ScalarNode, SequenceNode, child, text, text_values
from statefun_runtime.module.position import Position
from statefun_runtime.module.problem import Problem
from statefun_runtime.module.transport_spec import ASYNC, OKHTTP, Timeouts

_FLINKS = re.compile(r"io\.statefun\.(kafka|kinesis)\.v1/(ingress|egress)", re.ASCII)
_KAFKA_INGRESS = "io.statefun.kafka.v1/ingress"
_ENDPOINT_V1 = "io.statefun.endpoints.v1/http"
_PLACEHOLDER = re.compile(r"\$\{(env|file):[^}]*\}")
_SECRET = re.compile(r"password|secret|jaas|accesskey|token|ssl\.keystore\.key$", re.IGNORECASE)
_FILES_OF_SECRETS = frozenset({"client_key_password"})
_OF_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})

_INSTEAD_OF_KIND = {
    "io.statefun.playground.v1/ingress": (
        "take messages from Kafka or Kinesis; a small server that writes requests to Kafka replaces the HTTP ingress, "
        "its JSON bodies and its awaited replies"
    ),
    "io.statefun.playground.v1/egress": "write to Kafka or Kinesis",
    "io.statefun.file.v1/ingress": "write the records of the file to a Kafka topic",
    "io.statefun.file.v1/egress": "write to Kafka, and from there to files",
    "io.statefun.http.v1/egress": "write to Kafka, whose consumers read from a position on as well",
}
_INSTEAD_OF_OWN_KIND = "write to Kafka or Kinesis, or provide the kind to Flink as an extension in Java"


def module_differences(declarations: Iterable[Declaration]) -> Iterator[Difference]:
    """The differences of what a module file declares; placeholders must not have been resolved."""
    for declared in declarations:
        if declared.kind in ENDPOINTS:
            yield from _endpoint(declared)
        elif not _FLINKS.fullmatch(declared.kind):
            yield _kind(declared)
            continue
        if declared.kind == _KAFKA_INGRESS:
            yield from _kafka_ingress(declared)
        yield from _placeholders(declared.spec, declared.path)


def wrong_for_flink(loaded: LoadResult) -> list[Problem]:
    """What is wrong with a module file for Flink as well, without what `module_differences` tells.

    Which of the client's properties are right is not judged: Flink hands them to the client of Java.
    """
    told = {(difference.position, difference.path) for difference in module_differences(loaded.declarations)}
    return [
        problem
        for problem in loaded.errors
        if (problem.position, problem.path) not in told and ".properties[" not in problem.path
    ]


def alias_differences(content: str, file: str) -> Iterator[Difference]:
    """The aliases of a YAML text."""
    for token in yaml.scan(content, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.AliasToken):
            yield refused(
                Position(file, token.start_mark.line + 1, token.start_mark.column + 1),
                f"*{token.value}",
                "Flink does not resolve aliases",
                "write out what the anchor stands for",
            )


def secret_places(declarations: Iterable[Declaration]) -> Iterator[tuple[Position, str]]:
    """Where module files hold secrets in plain text, as far as the names of properties show: place and path."""
    for declared in declarations:
        for node, name, path in _texts(declared.spec, "", declared.path):
            if _SECRET.search(name) and name not in _FILES_OF_SECRETS and not node.is_null:
                yield node.position, path


def _kind(declared: Declaration) -> Difference:
    return refused(
        declared.position,
        declared.kind_path,
        f"a cluster does not know the kind {declared.kind}: the job does not start",
        _INSTEAD_OF_KIND.get(declared.kind, _INSTEAD_OF_OWN_KIND),
    )


def _endpoint(declared: Declaration) -> Iterator[Difference]:
    transport = child(declared.spec, "transport")
    if declared.kind == _ENDPOINT_V1:
        yield _okhttp(declared, None)
        yield from _limits(child(declared.spec, "timeouts"), f"{declared.path}.timeouts")
    elif text(child(transport, "type")) == OKHTTP:
        yield _okhttp(declared, transport)
        yield from _limits(child(transport, "timeouts"), f"{declared.path}.transport.timeouts")
    elif child(transport, "call") is None and child(child(transport, "timeouts"), "call") is None:
        yield different(
            (transport or declared.spec).position,
            f"{declared.path}.transport",
            "there is no time limit for a call, so Flink goes on calling for 2 minutes; then the whole job restarts",
            f"transport: {{type: {ASYNC}, call: 30s}}",
        )
    size = child(transport, "payload_max_bytes")
    if isinstance(size, ScalarNode) and not size.text.isdigit():
        message = f"Flink reads plain numbers only, not {size.text}"
        yield refused(size.position, f"{declared.path}.transport.payload_max_bytes", message, "the number of bytes")
    yield from _machine(declared)


def _okhttp(declared: Declaration, transport: Node | None) -> Difference:
    return different(
        declared.position if transport is None else transport.position,
        declared.kind_path if transport is None else f"{declared.path}.transport.type",
        "Flink calls the functions by its okhttp transport, one call a thread: about a tenth of the throughput",
        f"kind io.statefun.endpoints.v2/http with transport: {{type: {ASYNC}, call: 30s}}",
    )


def _limits(timeouts: Node | None, path: str) -> Iterator[Difference]:
    """Time limits that Flink's okhttp transport does not take, at its first call; defaults count as well."""
    if timeouts is None:
        return
    try:
        limits = Timeouts.model_validate(text_values(timeouts))
    except ValidationError:
        return  # what is wrong with them is told by `wrong_for_flink`, and placeholders by `_placeholders`
    if larger := [name for name in ("connect", "read", "write") if getattr(limits, name) > limits.call]:
        yield refused(
            timeouts.position,
            path,
            f"{' and '.join(larger)} may take longer than call, at which Flink fails with the first call, for ever",
            "say these limits too, none longer than that of call",
        )


def _machine(declared: Declaration) -> Iterator[Difference]:
    url = child(declared.spec, "urlPathTemplate")
    if not isinstance(url, ScalarNode):
        return
    parts = urlsplit(url.text)
    if parts.hostname in _OF_THIS_MACHINE or parts.scheme.endswith("+unix"):
        yield different(
            url.position,
            f"{declared.path}.urlPathTemplate",
            "each TaskManager of a cluster calls its own machine there",
            "the address of the functions' service; `statefun flink deploy --functions` writes it",
        )


def _kafka_ingress(declared: Declaration) -> Iterator[Difference]:
    headers = child(declared.spec, "forwardHeaders")
    if text(headers) == "true" and headers is not None:
        yield different(
            headers.position,
            f"{declared.path}.forwardHeaders",
            "Flink passes over it: functions see no headers",
            "put what functions need into the record's value",
        )
    if child(declared.spec, "startupPosition") is None:
        yield different(
            declared.position,
            f"{declared.path}.startupPosition",
            "without it Flink begins behind the newest record, this runtime at the offsets that the group committed",
            "say it, as startupPosition: {type: group-offsets}",
        )
    handling = child(declared.spec, "invalidRecordHandling")
    yield from _invalid_records(declared, handling, declared.path)
    topics = child(declared.spec, "topics")
    for at, topic in enumerate(topics.items if isinstance(topics, SequenceNode) else ()):
        own = child(topic, "invalidRecordHandling")
        if own is not None:
            yield from _invalid_records(declared, own, f"{declared.path}.topics[{at}]")


def _invalid_records(declared: Declaration, handling: Node | None, path: str) -> Iterator[Difference]:
    if text(child(handling, "type")) == "fail":
        return
    yield different(
        declared.position if handling is None else handling.position,
        f"{path}.invalidRecordHandling",
        "a record without key or value fails the whole job on Flink, which restarts on it for ever",
        "keep such records out of the topic; `invalidRecordHandling: {type: fail}` shows here what Flink does",
    )


def _placeholders(node: Node, path: str) -> Iterator[Difference]:
    for found, _, place in _texts(node, "", path):
        if _PLACEHOLDER.search(found.text):
            yield refused(
                found.position,
                place,
                "Flink takes the placeholder as it stands",
                "a module file made at deployment with the value in it, or a profile or file of credentials",
            )


def _texts(node: Node, name: str, path: str) -> Iterator[tuple[ScalarNode, str, str]]:
    """All scalars under a node, each with the property that it is the value of and its path."""
    match node:
        case ScalarNode():
            yield node, name, path
        case SequenceNode():
            for at, item in enumerate(node.items):
                yield from _texts(item, name, f"{path}[{at}]")
        case MappingNode():
            for key, entry in node.entries.items():
                yield from _texts(entry.value, key, f"{path}.{key}")
