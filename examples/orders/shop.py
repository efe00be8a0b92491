"""The world around the application: what writes to Kafka, asks and pays over HTTP, and reads the results."""

from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from examples.orders.app import (
    DELIVERY,
    NEW_ORDER,
    ORDER,
    PAYMENT,
    STOCK,
    NewOrder,
    Order,
    Payment,
    Quantity,
    Stock,
)
from statefun.client import StatefunClient

BROKER = "localhost:9092"
URL = "http://127.0.0.1:8090"
TOPICS = {"orders": 3, "deliveries": 1, "results": 3}
"""The topics of the application, with their partitions."""
SECONDS = 30.0


class ShopError(Exception):
    """Kafka did not do what was asked; the text says why."""


class Shop:
    """Places and pays orders. Its methods may be called by many threads."""

    def __init__(self, broker: str = BROKER, url: str = URL) -> None:
        self._producer = Producer(
            {"bootstrap.servers": broker, "enable.idempotence": True, "linger.ms": 0, "log_level": 0}
        )
        self._client = StatefunClient(url)

    def deliver(self, item: str, quantity: int) -> None:
        """Pieces come into the stock."""
        self._write("deliveries", item, DELIVERY.serialize(Quantity(quantity)))

    def place(self, number: str, order: NewOrder) -> None:
        """Order; it is safe to do so twice."""
        self._write("orders", number, NEW_ORDER.serialize(order))

    def show(self, number: str) -> Order:
        """The order as it is now."""
        return self._client.call(f"shop/order/{number}", "show").read_as(ORDER)

    def pay(self, number: str, reference: str) -> Order:
        """Pay, and return what became of the order. The reference is the key, so paying again pays once."""
        payment = Payment(reference)
        return self._client.call(f"shop/order/{number}", payment, PAYMENT, key=reference).read_as(ORDER)

    def stock(self, item: str) -> Stock:
        """The pieces of an item as they are now."""
        return self._client.call(f"shop/stock/{item}", "show").read_as(STOCK)

    def _write(self, topic: str, key: str, value: bytes) -> None:
        outcome: list[KafkaError | None] = []
        self._producer.produce(topic, value, key, on_delivery=lambda error, _: outcome.append(error))
        self._producer.flush(SECONDS)
        if outcome != [None]:
            reason = outcome[0] if outcome else f"no answer within {SECONDS:.0f} s"
            raise ShopError(f"{key} was not written to the topic {topic}: {reason}")


class Results:
    """Reads the results from the first one on, each as soon as it is committed."""

    def __init__(self, broker: str = BROKER) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": "shop-results",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "log_level": 0,
            }
        )
        partitions = range(TOPICS["results"])
        self._consumer.assign([TopicPartition("results", partition, 0) for partition in partitions])
        self._at_end: set[int | None] = set()

    def poll(self, seconds: float) -> Order | None:
        """The next result, if one comes in time."""
        message = self._consumer.poll(seconds)
        if message is None:
            return None
        error = message.error()
        if error is None:
            return ORDER.deserialize(message.value() or b"")
        if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  (the name that the client gives it)
            self._at_end.add(message.partition())
        elif not error.retriable():
            raise ShopError(f"the results cannot be read: {error.str()}")
        return None

    def to_end(self) -> Iterator[Order]:
        """All results that are there."""
        while len(self._at_end) < TOPICS["results"]:
            if (result := self.poll(SECONDS)) is not None:
                yield result

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def create_topics(broker: str) -> None:
    """Make the topics, those that are not there. Raises ShopError."""
    admin = AdminClient({"bootstrap.servers": broker, "log_level": 0})
    created = admin.create_topics([NewTopic(topic, partitions) for topic, partitions in TOPICS.items()])
    for topic, future in created.items():
        try:
            future.result(SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise ShopError(f"the topic {topic} cannot be made: {error}") from error
