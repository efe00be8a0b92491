"""The kinds of documents a module file can hold."""

from collections.abc import Mapping
from types import MappingProxyType

from statefun_runtime.module.egress_spec import (
    FileEgressSpec,
    KafkaEgressSpec,
    KinesisEgressSpec,
    PlaygroundEgressSpec,
    SubscriptionEgressSpec,
)
from statefun_runtime.module.endpoint_spec import EndpointV1, EndpointV2
from statefun_runtime.module.ingress_spec import (
    FileIngressSpec,
    KafkaIngressSpec,
    KinesisIngressSpec,
    PlaygroundIngressSpec,
)
from statefun_runtime.module.spec import Spec

ENDPOINTS: Mapping[str, type[EndpointV1 | EndpointV2]] = MappingProxyType(
    {"io.statefun.endpoints.v1/http": EndpointV1, "io.statefun.endpoints.v2/http": EndpointV2}
)

INGRESSES: Mapping[str, type[Spec]] = MappingProxyType(
    {
        "io.statefun.kafka.v1/ingress": KafkaIngressSpec,
        "io.statefun.kinesis.v1/ingress": KinesisIngressSpec,
        "io.statefun.playground.v1/ingress": PlaygroundIngressSpec,
        "io.statefun.file.v1/ingress": FileIngressSpec,
    }
)

EGRESSES: Mapping[str, type[Spec]] = MappingProxyType(
    {
        "io.statefun.kafka.v1/egress": KafkaEgressSpec,
        "io.statefun.kinesis.v1/egress": KinesisEgressSpec,
        "io.statefun.playground.v1/egress": PlaygroundEgressSpec,
        "io.statefun.file.v1/egress": FileEgressSpec,
        "io.statefun.http.v1/egress": SubscriptionEgressSpec,
    }
)

FIXED_IDS: Mapping[str, str] = MappingProxyType(
    {
        "io.statefun.playground.v1/ingress": PlaygroundIngressSpec.id,
        "io.statefun.playground.v1/egress": PlaygroundEgressSpec.id,
    }
)
"""The ids of the kinds that have no `id` property and can occur only once."""
