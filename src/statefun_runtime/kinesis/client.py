"""A client of Kinesis with just the requests that the adapters make. All failures are raised as `KinesisError`s."""

import logging
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, NotRequired, Protocol, TypedDict, TypeVar, cast

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.exceptions import BotoCoreError, ClientError

from statefun_runtime.kinesis.errors import kinesis_error
from statefun_runtime.kinesis.properties import Settings
from statefun_runtime.module.aws_spec import (
    AwsCredentials,
    AwsRegion,
    BasicCredentials,
    CustomEndpointRegion,
    DefaultRegion,
    ProfileCredentials,
)

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


class Shard(NamedTuple):
    """A shard of a stream. `first_hash` to `last_hash` are the hash keys of its records, both included."""

    id: str
    parents: tuple[str, ...]
    is_open: bool
    first_hash: int
    last_hash: int


class StoredRecord(NamedTuple):
    """A record as it lies in a shard. Sequence numbers of a shard rise."""

    sequence: str
    partition_key: str
    data: bytes


class PutRecord(NamedTuple):
    """A record to put. Without an explicit hash key its shard follows from its partition key."""

    partition_key: str
    data: bytes
    explicit_hash_key: str | None = None


class _Metadata(TypedDict):
    HTTPHeaders: Mapping[str, str]


class _Range(TypedDict):
    StartingHashKey: str
    EndingHashKey: str


class _ShardAnswer(TypedDict):
    ShardId: str
    ParentShardId: NotRequired[str]
    AdjacentParentShardId: NotRequired[str]
    HashKeyRange: _Range
    SequenceNumberRange: Mapping[str, str]


class _Shards(TypedDict):
    Shards: list[_ShardAnswer]
    NextToken: str
    ResponseMetadata: _Metadata


class _RecordAnswer(TypedDict):
    SequenceNumber: str
    PartitionKey: str
    Data: bytes


class _Records(TypedDict):
    Records: list[_RecordAnswer]
    NextShardIterator: str


class _PutAnswer(TypedDict, total=False):
    ErrorCode: str
    ErrorMessage: str


class _Put(TypedDict):
    Records: list[_PutAnswer]


class _Client(Protocol):
    def list_shards(self, **arguments: object) -> Awaitable[_Shards]: ...
    def get_shard_iterator(self, **arguments: object) -> Awaitable[dict[str, str]]: ...
    def get_records(self, **arguments: object) -> Awaitable[_Records]: ...
    def put_records(self, **arguments: object) -> Awaitable[_Put]: ...


class _Session(Protocol):
    def set_config_variable(self, name: str, value: str) -> None: ...
    def create_client(self, service: str, **arguments: object) -> AbstractAsyncContextManager[_Client]: ...


class KinesisClient:
    """One client, from `open` to `close`."""

    def __init__(self, name: str, region: AwsRegion, credentials: AwsCredentials, settings: Settings) -> None:
        """Args: `name` says whose client it is, for the log."""
        self.name = name
        self.settings = settings
        for warning in settings.warnings:
            _log.warning("%s: %s", name, warning)
        self._region = region
        self._credentials = credentials
        self._context: AbstractAsyncContextManager[_Client] | None = None
        self._client: _Client | None = None

    async def open(self) -> None:
        """Find region and credentials. Sends nothing to Kinesis. Raises AccessError."""
        session = cast("_Session", AioSession())
        arguments = _region_arguments(self._region) | _login(session, self._credentials)
        try:
            self._context = session.create_client("kinesis", config=_config(self.settings), **arguments)
            self._client = await self._context.__aenter__()
        except (BotoCoreError, ClientError) as error:
            self._context = None
            raise kinesis_error(error) from error

    async def close(self) -> None:
        """Release the connections. Idempotent."""
        context, self._context, self._client = self._context, None, None
        if context is not None:
            await context.__aexit__(None, None, None)

    async def list_shards(self, stream: str) -> tuple[list[Shard], int]:
        """All shards of a stream, and when that was: milliseconds by the clock of Kinesis, cut to the second."""
        answer = await self._request(self._open_client.list_shards(StreamName=stream))
        moment = _date(answer["ResponseMetadata"]["HTTPHeaders"])
        shards = [*map(_shard, answer["Shards"])]
        while answer.get("NextToken"):
            answer = await self._request(self._open_client.list_shards(NextToken=answer["NextToken"]))
            shards += map(_shard, answer["Shards"])
        return shards, moment

    async def iterator(self, stream: str, shard: str, start: Mapping[str, object]) -> str:
        """An iterator for `records`; `start` holds the parameters of GetShardIterator that say where."""
        answer = await self._request(self._open_client.get_shard_iterator(StreamName=stream, ShardId=shard, **start))
        return answer["ShardIterator"]

    async def records(self, iterator: str, most: int) -> tuple[list[StoredRecord], str | None]:
        """The next records, and the iterator behind them; None at the end of a shard that is closed."""
        answer = await self._request(self._open_client.get_records(ShardIterator=iterator, Limit=most))
        found = [StoredRecord(each["SequenceNumber"], each["PartitionKey"], each["Data"]) for each in answer["Records"]]
        return found, answer.get("NextShardIterator") or None

    async def put(self, stream: str, records: Iterable[PutRecord]) -> Sequence[str | None]:
        """Put records; for each of them why it was not taken, or None. Another attempt may help."""
        entries = [_entry(record) for record in records]
        answer = await self._request(self._open_client.put_records(StreamName=stream, Records=entries))
        return [_refusal(each) for each in answer["Records"]]

    @property
    def _open_client(self) -> _Client:
        if self._client is None:
            raise RuntimeError("the client is not open")
        return self._client

    async def _request(self, request: Awaitable[_T]) -> _T:
        try:
            return await request
        except (BotoCoreError, ClientError) as error:
            raise kinesis_error(error) from error


def _config(settings: Settings) -> object:
    return AioConfig(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=settings.max_pool_connections,
        tcp_keepalive=settings.tcp_keepalive,
        user_agent_extra=settings.user_agent_extra or None,
        retries={"total_max_attempts": settings.max_attempts + 1, "mode": "standard"},
        connector_args={"keepalive_timeout": settings.keepalive_timeout},
    )


def _region_arguments(region: AwsRegion) -> dict[str, str]:
    if isinstance(region, DefaultRegion):
        return {}
    if not isinstance(region, CustomEndpointRegion):
        return {"region_name": region.id}
    # Java takes an endpoint without a scheme as one with TLS.
    endpoint = region.endpoint if "://" in region.endpoint else f"https://{region.endpoint}"
    return {"region_name": region.id, "endpoint_url": endpoint}


def _login(session: _Session, credentials: AwsCredentials) -> dict[str, str]:
    if isinstance(credentials, BasicCredentials):
        secret = credentials.secret_access_key.get_secret_value()
        return {"aws_access_key_id": credentials.access_key_id, "aws_secret_access_key": secret}
    if isinstance(credentials, ProfileCredentials):
        session.set_config_variable("profile", credentials.profile_name)
        if credentials.profile_path is not None:
            session.set_config_variable("credentials_file", str(credentials.profile_path))
            session.set_config_variable("config_file", str(credentials.profile_path))
    return {}


def _shard(answer: _ShardAnswer) -> Shard:
    parents = (answer.get("ParentShardId"), answer.get("AdjacentParentShardId"))
    hashes = answer["HashKeyRange"]
    return Shard(
        answer["ShardId"],
        tuple(parent for parent in parents if parent),
        not answer["SequenceNumberRange"].get("EndingSequenceNumber"),
        int(hashes["StartingHashKey"]),
        int(hashes["EndingHashKey"]),
    )


def _entry(record: PutRecord) -> dict[str, object]:
    entry: dict[str, object] = {"PartitionKey": record.partition_key, "Data": record.data}
    if record.explicit_hash_key is not None:
        entry["ExplicitHashKey"] = record.explicit_hash_key
    return entry


def _refusal(answer: _PutAnswer) -> str | None:
    code = answer.get("ErrorCode")
    return f"{code}: {answer.get('ErrorMessage', '')}" if code else None


def _date(headers: Mapping[str, str]) -> int:
    text = headers.get("date")
    moment = parsedate_to_datetime(text) if text else datetime.now(UTC).replace(microsecond=0)
    return int(moment.timestamp() * 1000)
