"""What is to be said of the sections of Kafka beyond their properties' types: the client's properties, the start."""

from collections.abc import Iterable, Iterator

from statefun_runtime.kafka.properties import Remark, Role, remarks
from statefun_runtime.module.declaration import Declaration
from statefun_runtime.module.egress_spec import KafkaEgressSpec
from statefun_runtime.module.ingress_spec import KafkaIngressSpec
from statefun_runtime.module.module import Module
from statefun_runtime.module.node import Place, locate
from statefun_runtime.module.problem import Problem, error, note, warning
from statefun_runtime.module.spec import Properties, Spec, merge_properties


def kafka_problems(spec: Spec, declaration: Declaration, known: Iterable[Problem]) -> list[Problem]:
    """What is wrong with the client's properties of a checked spec if it is one of Kafka's.

    A value that is among the `known` problems is not judged again: it is not the one that was meant.
    """
    if isinstance(spec, KafkaIngressSpec):
        found = remarks(merge_properties(spec.properties), Role.CONSUMER)
        # In the place of a field that is missing the property counts, so it is not left out.
        honoured = {"group.id"} if spec.consumer_group_id is None else set[str]()
    elif isinstance(spec, KafkaEgressSpec):
        found, honoured = remarks(merge_properties(spec.properties), Role.PRODUCER), set[str]()
    else:
        return []
    told = {(problem.position, problem.path) for problem in known}
    places = ((remark, _place(remark.name, spec.properties, declaration)) for remark in found)
    return [
        _problem(remark, place)
        for remark, place in places
        if remark.name not in honoured and (place.node.position, place.path) not in told
    ]


def unsaid_starts(module: Module) -> Iterator[Problem]:
    """A note for each Kafka ingress that does not say where its first start is."""
    for ingress in module.ingresses:
        if isinstance(ingress.spec, KafkaIngressSpec) and not ingress.spec.says_start:
            said = module.secrets.mask(_unsaid_start(ingress.spec))
            yield note(ingress.position, "spec.startupPosition", said)


def _place(name: str, properties: Properties, declaration: Declaration) -> Place:
    # Of a name that is given twice the last one counts.
    at = max(at for at, entry in enumerate(properties) if name in entry)
    return locate(declaration.spec, ("properties", at, name), declaration.path)


def _problem(remark: Remark, place: Place) -> Problem:
    report = error if remark.is_error else warning
    return report(place.key, place.path, remark.text.removeprefix(f"the property {remark.name} "))


def _unsaid_start(spec: KafkaIngressSpec) -> str:
    edge = "oldest" if spec.auto_offset_reset_position == "earliest" else "newest"
    if spec.group is not None:
        start = f"at the offsets of the group {spec.group}, and where it has none at the {edge} record"
    else:
        start = f"at the {edge} record, since no consumerGroupId is given either"
    differs = spec.group is not None or edge == "oldest"
    return f"is not given: the first start is {start}" + ("; on Flink it is at the newest record" if differs else "")
