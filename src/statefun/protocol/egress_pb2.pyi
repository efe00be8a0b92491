from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KafkaProducerRecord(_message.Message):
    __slots__ = ("key", "value_bytes", "topic", "headers")
    class Header(_message.Message):
        __slots__ = ("key", "value", "has_value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        HAS_VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        has_value: bool
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ..., has_value: bool = ...) -> None: ...
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_BYTES_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    key: str
    value_bytes: bytes
    topic: str
    headers: _containers.RepeatedCompositeFieldContainer[KafkaProducerRecord.Header]
    def __init__(self, key: _Optional[str] = ..., value_bytes: _Optional[bytes] = ..., topic: _Optional[str] = ..., headers: _Optional[_Iterable[_Union[KafkaProducerRecord.Header, _Mapping]]] = ...) -> None: ...

class KinesisEgressRecord(_message.Message):
    __slots__ = ("partition_key", "value_bytes", "stream", "explicit_hash_key")
    PARTITION_KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_BYTES_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    EXPLICIT_HASH_KEY_FIELD_NUMBER: _ClassVar[int]
    partition_key: str
    value_bytes: bytes
    stream: str
    explicit_hash_key: str
    def __init__(self, partition_key: _Optional[str] = ..., value_bytes: _Optional[bytes] = ..., stream: _Optional[str] = ..., explicit_hash_key: _Optional[str] = ...) -> None: ...
