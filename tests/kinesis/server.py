"""A server that speaks the protocol of Kinesis (moto), with streams written and read as another program would."""

import logging
from collections.abc import Sequence
from typing import Any

from botocore.session import get_session
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
CREDENTIALS = {"type": "basic", "accessKeyId": "key", "secretAccessKey": "hunter2"}
SECONDS = 30.0


class Kinesis:
    """The server, and a client of its own."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self.client: Any = get_session().create_client(
            "kinesis",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="key",
            aws_secret_access_key="hunter2",
        )

    def create(self, stream: str, shards: int = 1) -> None:
        self.client.create_stream(StreamName=stream, ShardCount=shards)

    def put(self, stream: str, records: Sequence[tuple[str, bytes]]) -> None:
        """Put records one after the other, so that they have an order."""
        for key, data in records:
            self.client.put_record(StreamName=stream, PartitionKey=key, Data=data)

    def shards(self, stream: str) -> list[str]:
        return [shard["ShardId"] for shard in self.client.list_shards(StreamName=stream)["Shards"]]

    def records(self, stream: str) -> list[tuple[str, str]]:
        """(key, value) of all records, shard by shard."""
        return [each for shard in self.shards(stream) for each in self._records(stream, shard)]

    def stop(self) -> None:
        self.client.close()
        self._server.stop()

    def _records(self, stream: str, shard: str) -> list[tuple[str, str]]:
        iterator = self.client.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
            "ShardIterator"
        ]
        found: list[tuple[str, str]] = []
        while True:
            answer = self.client.get_records(ShardIterator=iterator)
            if not answer["Records"]:
                return found
            found += [(each["PartitionKey"], each["Data"].decode()) for each in answer["Records"]]
            iterator = answer["NextShardIterator"]


def access(url: str) -> dict[str, object]:
    """What a spec says to reach a server."""
    region = {"type": "custom-endpoint", "endpoint": url, "id": REGION}
    return {"awsRegion": region, "awsCredentials": CREDENTIALS}
