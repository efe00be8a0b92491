"""The generated Kafka record under the module name of the first Python SDK; the code is in `statefun.protocol`."""

from statefun.protocol.egress_pb2 import DESCRIPTOR, KafkaProducerRecord

__all__ = ["DESCRIPTOR", "KafkaProducerRecord"]
