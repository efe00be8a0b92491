"""The codes of librdkafka's own errors that matter here; its Python binding gives them private names only."""

from typing import Final

from confluent_kafka import KafkaError

FAILED: Final = -196
TRANSPORT: Final = -195
RESOLVE: Final = -193
PARTITION_EOF: Final = -191
UNKNOWN_PARTITION: Final = -190
UNKNOWN_TOPIC: Final = -188
ALL_BROKERS_DOWN: Final = -187
INVALID_ARGUMENT: Final = -186
TIMED_OUT: Final = -185
SSL: Final = -181
AUTHENTICATION: Final = -169
PURGED_FROM_QUEUE: Final = -152
PURGED_IN_FLIGHT: Final = -151
TOPIC_REFUSED: Final = frozenset(
    {
        UNKNOWN_PARTITION,
        UNKNOWN_TOPIC,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    }
)
"""What every record for a topic meets however often it is sent: the topic is missing, or must not be written to."""
RECORDS_REFUSED: Final = frozenset(
    {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.INVALID_TIMESTAMP}
)
"""What all records that were sent together meet again; one of them is the cause, or their number."""
