"""The specs of the ingresses.

The property names, defaults and meanings of Kafka's, Kinesis's and the playground's are
those of Flink Stateful Functions 3.3; those of files are our own.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from statefun_runtime.module.aws_spec import AwsCredentials, AwsRegion, DefaultCredentials, DefaultRegion
from statefun_runtime.module.spec import (
    CamelModel,
    Date,
    FilePath,
    InvalidRecordHandling,
    KafkaTopicName,
    Port,
    Properties,
    Size,
    Spec,
    Targets,
    Text,
    TypeNameText,
    check_one_entry,
    merge_properties,
    refuse_empty,
)

_TOPIC_PARTITION = re.compile(r"(.+)/(\d{1,10})", re.ASCII)


Handling: TypeAlias = Literal["dead-letter", "skip", "fail"]


class KafkaRecordHandling(CamelModel):
    """What happens to a record that cannot become a message.

    `dead-letter` keeps it with the reason, `skip` drops it, `fail` stops the ingress.
    """

    type: Handling = "dead-letter"


class KafkaTopic(CamelModel):
    """A topic and where its records go. The record's key is the target's id, its value the message's bytes."""

    topic: KafkaTopicName
    value_type: TypeNameText
    targets: Targets
    invalid_record_handling: KafkaRecordHandling | None = None


class GroupOffsetsStartup(CamelModel):
    """Start at the offsets that the consumer group committed to Kafka; without one where the reset position says."""

    type: Literal["group-offsets"] = "group-offsets"


class EarliestStartup(CamelModel):
    """Start at the oldest record there is."""

    type: Literal["earliest"]


class LatestStartup(CamelModel):
    """Start behind the newest record there is."""

    type: Literal["latest"] = "latest"


class DateStartup(CamelModel):
    """Start at the first record that is not older than a moment."""

    type: Literal["date"]
    date: Date


def _check_offset(entry: dict[str, int]) -> dict[str, int]:
    for partition in entry:
        if not _TOPIC_PARTITION.fullmatch(partition):
            raise ValueError("must read <topic>/<partition number>: <offset>")
    return entry


PartitionOffset: TypeAlias = Annotated[
    dict[str, Annotated[int, Field(ge=0)]], AfterValidator(check_one_entry), AfterValidator(_check_offset)
]
"""`<topic>/<partition>: <offset>`."""


class SpecificOffsetsStartup(CamelModel):
    """Start each listed partition at its offset; the others start at the group's offsets."""

    type: Literal["specific-offsets"]
    offsets: Annotated[tuple[PartitionOffset, ...], AfterValidator(refuse_empty)]

    @property
    def by_partition(self) -> Mapping[tuple[str, int], int]:
        """(topic, partition) -> offset of the first record to read."""
        found: dict[tuple[str, int], int] = {}
        for entry in self.offsets:
            for name, offset in entry.items():
                topic, _, partition = name.rpartition("/")
                found[topic, int(partition)] = offset
        return found


KafkaStartup: TypeAlias = Annotated[
    GroupOffsetsStartup | EarliestStartup | LatestStartup | SpecificOffsetsStartup | DateStartup,
    Field(discriminator="type"),
]


class KafkaIngressSpec(Spec):
    """`io.statefun.kafka.v1/ingress`. `forward_headers` and `invalid_record_handling` are extensions of a fork.

    Flink's documentation has the same default of `startup_position`; its code has `latest`.
    """

    id: TypeNameText
    address: Text | None = None
    consumer_group_id: Text | None = None
    topics: Annotated[tuple[KafkaTopic, ...], AfterValidator(refuse_empty)]
    auto_offset_reset_position: Literal["latest", "earliest"] = "latest"
    startup_position: KafkaStartup = GroupOffsetsStartup()
    properties: Properties = ()
    forward_headers: bool = False
    invalid_record_handling: KafkaRecordHandling = KafkaRecordHandling()

    @model_validator(mode="after")
    def _check(self) -> "KafkaIngressSpec":
        if self.address is None and "bootstrap.servers" not in merge_properties(self.properties):
            raise ValueError("needs an address, or bootstrap.servers among its properties")
        refuse_duplicates("topic", (topic.topic for topic in self.topics))
        if self.says_start and isinstance(self.startup_position, GroupOffsetsStartup) and self.group is None:
            raise ValueError("startupPosition group-offsets needs a consumerGroupId")
        return self

    @property
    def says_start(self) -> bool:
        """Whether the file gives a `startupPosition`."""
        return "startup_position" in self.model_fields_set

    @property
    def group(self) -> str | None:
        """The consumer group: the field wins over the property `group.id`."""
        return self.consumer_group_id or merge_properties(self.properties).get("group.id")


class KinesisStream(CamelModel):
    """A stream and where its records go. The partition key is the target's id, the data the message's bytes."""

    stream: Text
    value_type: TypeNameText
    targets: Targets


KinesisStartup: TypeAlias = Annotated[EarliestStartup | LatestStartup | DateStartup, Field(discriminator="type")]


class KinesisIngressSpec(Spec):
    """`io.statefun.kinesis.v1/ingress`."""

    id: TypeNameText
    aws_region: AwsRegion = DefaultRegion()
    aws_credentials: AwsCredentials = DefaultCredentials()
    startup_position: KinesisStartup = LatestStartup()
    streams: Annotated[tuple[KinesisStream, ...], AfterValidator(refuse_empty)]
    client_config_properties: Properties = ()

    @model_validator(mode="after")
    def _check(self) -> "KinesisIngressSpec":
        refuse_duplicates("stream", (stream.stream for stream in self.streams))
        return self


class PlaygroundIngressSpec(Spec):
    """`io.statefun.playground.v1/ingress`: HTTP requests become messages. `forward_headers` is our own."""

    id: ClassVar[str] = "io.statefun.playground/ingress"
    port: Port = 8090
    forward_headers: bool = False


class FileIngressSpec(Spec):
    """`io.statefun.file.v1/ingress`: every line or row of a file becomes a message for each target.

    `key` is the field (json-lines) or the column (csv) whose value is the target's id. A csv row becomes a JSON object
    by the header. With `io.statefun.types/string` the payload is the JSON text as a string; with any other `value_type`
    it is that JSON text as UTF-8 bytes under that typename.
    """

    id: TypeNameText
    path: FilePath
    format: Literal["json-lines", "csv"]
    targets: Targets
    key: Text
    value_type: TypeNameText = "io.statefun.types/string"
    max_line_bytes: Size = 1 << 20
    invalid_record_handling: InvalidRecordHandling = InvalidRecordHandling(type="fail")


def refuse_duplicates(what: str, names: Iterable[str]) -> None:
    """Raise a ValueError that names everything in `names` that occurs twice."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"names the {what} {', '.join(twice)} more than once")
