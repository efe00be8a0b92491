"""A server that speaks the protocol of Kinesis (moto), with streams written and read as another program would."""

import logging
from collections.abc import Sequence
from typing import Any

from botocore.session import get_session
from moto.server import ThreadedMotoServer

from tests.e2e.command import wait_until

REGION = "eu-central-1"
CREDENTIALS = {"type": "basic", "accessKeyId": "key", "secretAccessKey": "hunter2"}
SECONDS = 30.0


class Streams:
    """A client of a server, as another program would use it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client: Any = get_session().create_client(
            "kinesis",
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id="key",
            aws_secret_access_key="hunter2",
        )

    def create(self, stream: str, shards: int = 1) -> None:
        self.client.create_stream(StreamName=stream, ShardCount=shards)
        self.wait_until_active(stream)

    def put(self, stream: str, records: Sequence[tuple[str, bytes]]) -> None:
        """Put records one after the other, so that they have an order."""
        for key, data in records:
            self.client.put_record(StreamName=stream, PartitionKey=key, Data=data)

    def put_together(self, stream: str, records: Sequence[tuple[str, bytes]]) -> None:
        """Put records of different keys in one request."""
        entries = [{"PartitionKey": key, "Data": data} for key, data in records]
        answer = self.client.put_records(StreamName=stream, Records=entries)
        assert answer["FailedRecordCount"] == 0, answer

    def split(self, stream: str, shard: str) -> None:
        """Split a shard in the middle of its hash keys, and wait until that is done."""
        [found] = [each for each in self._shards(stream) if each["ShardId"] == shard]
        ends = found["HashKeyRange"]
        middle = (int(ends["StartingHashKey"]) + int(ends["EndingHashKey"])) // 2
        self.client.split_shard(StreamName=stream, ShardToSplit=shard, NewStartingHashKey=str(middle))
        self.wait_until_active(stream)

    def merge(self, stream: str, shard: str, neighbour: str) -> None:
        """Merge two shards, and wait until that is done."""
        self.client.merge_shards(StreamName=stream, ShardToMerge=shard, AdjacentShardToMerge=neighbour)
        self.wait_until_active(stream)

    def wait_until_active(self, stream: str) -> None:
        def is_active() -> bool:
            summary = self.client.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
            return bool(summary["StreamStatus"] == "ACTIVE")

        wait_until(is_active, f"the change of {stream}")

    def shards(self, stream: str) -> list[str]:
        return [shard["ShardId"] for shard in self._shards(stream)]

    def open_shards(self, stream: str) -> list[str]:
        """Those that can be split and merged, by their hash keys."""
        found = [each for each in self._shards(stream) if "EndingSequenceNumber" not in each["SequenceNumberRange"]]
        return [
            each["ShardId"] for each in sorted(found, key=lambda each: int(each["HashKeyRange"]["StartingHashKey"]))
        ]

    def records(self, stream: str) -> list[tuple[str, str]]:
        """(key, value) of all records, shard by shard."""
        return Reader(self, stream).read()

    def _shards(self, stream: str) -> list[dict[str, Any]]:
        shards: list[dict[str, Any]] = self.client.list_shards(StreamName=stream)["Shards"]
        return shards


class Reader:
    """Reads the shards that a stream has now, from their oldest records on."""

    def __init__(self, streams: Streams, stream: str) -> None:
        self._client = streams.client
        start = {"StreamName": stream, "ShardIteratorType": "TRIM_HORIZON"}
        self._iterators: list[str | None] = [
            self._client.get_shard_iterator(ShardId=shard, **start)["ShardIterator"] for shard in streams.shards(stream)
        ]

    def read(self) -> list[tuple[str, str]]:
        """(key, value) of the records that were not read before, shard by shard."""
        found: list[tuple[str, str]] = []
        for at in range(len(self._iterators)):
            while self._iterators[at] is not None:
                answer = self._client.get_records(ShardIterator=self._iterators[at])
                self._iterators[at] = answer.get("NextShardIterator")
                if not answer["Records"]:
                    break
                found += [(each["PartitionKey"], each["Data"].decode()) for each in answer["Records"]]
        return found


class Kinesis(Streams):
    """A server in this process. Its shards never end; `node_server.py` has one whose do."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        super().__init__(f"http://{host}:{port}")

    def stop(self) -> None:
        self.client.close()
        self._server.stop()


def access(url: str) -> dict[str, object]:
    """What a spec says to reach a server."""
    region = {"type": "custom-endpoint", "endpoint": url, "id": REGION}
    return {"awsRegion": region, "awsCredentials": CREDENTIALS}
