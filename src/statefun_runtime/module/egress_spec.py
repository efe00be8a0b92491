"""The specs of the egresses.

The property names, defaults and meanings of Kafka's, Kinesis's and the playground's are
those of Flink Stateful Functions 3.3; those of files and subscriptions are our own.
"""

from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field, model_validator

from statefun_runtime.module.aws_spec import AwsCredentials, AwsRegion, DefaultCredentials, DefaultRegion
from statefun_runtime.module.spec import (
    CamelModel,
    Duration,
    FilePath,
    Port,
    Properties,
    Size,
    Spec,
    Text,
    TypeNameText,
    merge_properties,
)


class AtLeastOnce(CamelModel):
    """A record may be written again after a crash."""

    type: Literal["at-least-once"] = "at-least-once"


class NoGuarantee(CamelModel):
    """A record may be lost or written again."""

    type: Literal["none"]


class ExactlyOnce(CamelModel):
    """Records are written in Kafka transactions that the broker ends by itself after `timeout` milliseconds."""

    type: Literal["exactly-once"]
    transaction_timeout: Duration | None = None
    transaction_timeout_millis: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _check(self) -> "ExactlyOnce":
        if self.transaction_timeout is None and self.transaction_timeout_millis is None:
            raise ValueError("exactly-once needs a transactionTimeout")
        return self

    @property
    def timeout(self) -> int:
        """Milliseconds; the deprecated property wins over the new one, as in Flink."""
        return self.transaction_timeout_millis or self.transaction_timeout or 0


DeliverySemantic: TypeAlias = Annotated[AtLeastOnce | ExactlyOnce | NoGuarantee, Field(discriminator="type")]


class KafkaEgressSpec(Spec):
    """`io.statefun.kafka.v1/egress`."""

    id: TypeNameText
    address: Text | None = None
    delivery_semantic: DeliverySemantic = AtLeastOnce()
    properties: Properties = ()

    @model_validator(mode="after")
    def _check(self) -> "KafkaEgressSpec":
        if self.address is None and "bootstrap.servers" not in merge_properties(self.properties):
            raise ValueError("needs an address, or bootstrap.servers among its properties")
        return self


class KinesisEgressSpec(Spec):
    """`io.statefun.kinesis.v1/egress`."""

    id: TypeNameText
    aws_region: AwsRegion = DefaultRegion()
    aws_credentials: AwsCredentials = DefaultCredentials()
    max_outstanding_records: Annotated[int, Field(gt=0)] = 1000
    client_config_properties: Properties = ()


class PlaygroundEgressSpec(Spec):
    """`io.statefun.playground.v1/egress`: messages wait until they are fetched over HTTP, by topic.

    Without `topics` every topic a function names exists.
    """

    id: ClassVar[str] = "io.statefun.playground/egress"
    port: Port = 8091
    topics: tuple[Text, ...] = ()


class FileEgressSpec(Spec):
    """`io.statefun.file.v1/egress`: every record becomes a line of a file."""

    id: TypeNameText
    path: FilePath
    format: Literal["json-lines"] = "json-lines"


class SubscriptionEgressSpec(Spec):
    """`io.statefun.http.v1/egress`: records are kept for a while, and read over HTTP from a cursor on."""

    id: TypeNameText
    port: Port = 8092
    retention_time: Duration = 24 * 60 * 60 * 1000
    retention_size: Size = 1 << 30
