"""The codes of librdkafka's own errors that matter here; its Python binding gives them private names only."""

from typing import Final

from confluent_kafka import KafkaError

PARTITION_EOF: Final = -191
FAILED: Final = -196
INVALID_ARGUMENT: Final = -186
TIMED_OUT: Final = -185
PURGED_FROM_QUEUE: Final = -152
PURGED_IN_FLIGHT: Final = -151
HOPELESS: Final = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.TOPIC_EXCEPTION})
"""What a record meets again however often it is sent."""
